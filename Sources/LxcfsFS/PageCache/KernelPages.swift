import Glibc
import LxcfsHandover

/// What the kernel can be told about the page cache of one FUSE connection.
///
/// Both of the other calls wait while a reader waits for the page that is concerned. The page may be waiting
/// for a READ: so a thread must not call them unless other threads are left to answer that.
package protocol KernelPages: Sendable {
    /// Puts content at the start of a file (`FUSE_NOTIFY_STORE`). The kernel takes note of the
    /// size first, then fills its pages.
    ///
    /// - Returns: false if the kernel did not take it. That it does not remember the file is no
    ///   failure.
    func store(_ content: Snapshot, in node: NodeID) -> Bool

    /// Whether a thread that is in ``store(_:in:)`` waits for a page there: the kernel has taken
    /// note of the size.
    func waitsForPage(_ thread: pid_t) -> Bool

    /// Takes everything out that the page cache has of a file (`FUSE_NOTIFY_INVAL_INODE`).
    ///
    /// - Returns: whether nothing is left there.
    func drop(_ node: NodeID) -> Bool

    /// The calling thread is about to wait for what only the container decides: such as others
    /// that change the size of the file. ``store(_:in:)`` and ``drop(_:)`` say so themselves.
    func willWait()

    /// It goes on.
    func hasWaited()

    /// Requests of the container whose request the calling thread answers need not be put off any
    /// more: see ``PageCache/size(of:in:make:tell:later:)``.
    func sizeHasChanged()
}

extension KernelPages {
    package func willWait() {}
    package func hasWaited() {}
    package func sizeHasChanged() {}
}
