import Syscalls

/// Permits to write into the memory of a caller, for all threads of the agent but one.
///
/// A container decides what is behind an address. If it is a page that another process has to
/// deliver first (userfaultfd(2), a file of a FUSE of its own), writing waits as long as that takes.
/// So one thread always stays out, and makes another one when all others are stuck.
final class AgentPermits: Sendable {
    private let permits: Permits

    /// Nanoseconds after which the threads that hold a permit are taken to be stuck.
    private static let patience: UInt64 = 100_000_000

    init(_ count: Int) { permits = Permits(count) }

    /// - Returns: false if there is none for too long.
    func take() -> Bool { permits.take(within: Self.patience) }

    /// Gives one back, or adds one for a new thread.
    func give() { permits.give() }
}
