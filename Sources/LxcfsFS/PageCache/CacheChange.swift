/// What a thread is doing with the pages of a file.
enum CacheChange {
    case none
    /// Pushing content of the size that the kernel knows.
    case pushing
    /// Dropping pages, because the size will change. READ still gets what there was.
    case dropping
    /// Giving readers who have got it the time to look at the size. READ waits.
    case settling
    /// Pushing longer content, since a time. The kernel takes note of the size first, then waits
    /// for a page that READ may have to bring; so READ waits only until the size is known.
    case growing(since: UInt64)

    var isNone: Bool { if case .none = self { true } else { false } }
}
