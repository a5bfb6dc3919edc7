import Glibc

/// What a thread is doing with the pages of a file.
enum CacheChange {
    case none
    /// Pushing content of the size that the kernel knows.
    case pushing
    /// Dropping pages, because the content will be longer. READ still gets what there was.
    case dropping
    /// Giving readers who have got it the time to look at the size. READ waits.
    case settling
    /// A thread pushes longer content. The kernel takes note of the size first, then waits for a
    /// page that READ may have to bring; so READ waits until it is seen to do that.
    case growing(thread: pid_t)
    /// Dropping pages, because the content will be shorter. READ still gets what there was;
    /// GETATTR waits, for an answer from after that would be believed.
    case clearing
    /// Giving readers who are at a page of the former content the time to copy it. READ and
    /// GETATTR wait.
    case resting

    var isNone: Bool { if case .none = self { true } else { false } }
}
