/// What the kernel is told about a file.
///
/// It hears of a size by answers to GETATTR and LOOKUP, which it takes note of in any order, for
/// each is taken note of by the process that asked, once that runs; and if several are under way,
/// the kernel ignores all but the first (`attr_version` in fs/fuse). With a size that is too small it
/// cuts what it shows, with one that is too large it shows zeros behind. No file is filled up: each has
/// just the bytes that the kernel's own would have. So its size changes, and only so:
///
/// - Longer content is pushed, which tells of the size at once and makes the kernel ignore
///   former answers, and only when it has no pages of the former content. A reader who has read
///   that, but has not yet been told that it has ended there, would get the rest of the longer
///   one, so there is a pause.
/// - For shorter content its pages are dropped, which makes the kernel ignore answers that are
///   under way, and none is given before the READ that brings the new content can be answered:
///   with less than was asked for, by which the kernel learns where the end is before anybody
///   sees the page.
/// - Answers repeat what it has been told.
package struct FileSize: Equatable, Sendable {
    package let bytes: Int
    /// Shown in the nanoseconds of the modification time: another one makes the kernel drop the
    /// pages that it has.
    package let generation: Int
}
