import KernelText
import LxcfsHandover
import Syscalls

/// What is left to do after new content has been rendered.
struct CacheStep {
    enum Action {
        /// Nothing: the page cache has it, or will be filled by READ, or another thread is at it.
        case none
        /// Push it, and report with ``Container/stored(_:_:success:)``.
        case store
        /// Its size is larger than the kernel knows: drop pages, call
        /// ``Container/settles(_:now:window:)`` and ``Container/beginGrowing(_:_:now:)``, push it,
        /// and call ``PushPermits/endGrowing()``.
        case grow
        /// Its size is another, and nobody has seen the former, or it has got shorter, or could not
        /// get longer in time: report with ``Container/resized(_:_:success:)``. Then READ will bring it.
        case resize
    }

    /// What is the content now: what has been rendered, padded, or what another thread has made.
    let content: Snapshot?
    let action: Action
    /// Pages have to be dropped before that, and ``Container/dropped(_:)`` to be called.
    let dropsFirst: Bool

    init(_ content: Snapshot?, _ action: Action = .none, dropsFirst: Bool = false) {
        self.content = content
        self.action = action
        self.dropsFirst = dropsFirst
    }
}
