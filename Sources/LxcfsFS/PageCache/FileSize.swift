/// What the kernel is told about a file.
///
/// It hears of a size by answers to GETATTR, which it takes note of in any order, for each is
/// taken note of by the process that asked, once that runs; and if several are under way, the
/// kernel ignores all but the first (`attr_version` in fs/fuse). With a size that is too small it cuts
/// what it shows, with one that is too large it shows zeros behind. So
///
/// - files under `/proc` do not get shorter, see ``Snapshot/padded(to:)``, and seldom longer: those
///   that count up have room for that;
/// - longer content is pushed, which tells of the size at once and makes the kernel ignore
///   former answers, and only when it has no pages of the former content. A reader who has read
///   that, but has not yet been told that it has ended there, would get the rest of the longer
///   one, so there is a pause;
/// - answers repeat what it has been told.
///
/// What does get shorter, because a CPU or a device has gone, may be shown wrongly to a program
/// that reads in that moment.
package struct FileSize: Equatable, Sendable {
    package let bytes: Int
    /// Shown in the nanoseconds of the modification time: another one makes the kernel drop the
    /// pages that it has.
    package let generation: Int
}
