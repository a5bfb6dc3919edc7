/// Which version of the contract between keeper and worker a process follows.
///
/// Each of the two tells the other: the keeper in ``WorkerSetup``, the worker in
/// ``ToKeeper/ready(contract:)``. So each can tell what the other side understands.
package enum Contract {
    /// Of a process that does not say which.
    package static let first = 1
    /// What this version follows. The second one adds that this number is told, that messages of
    /// an unknown kind are ignored, and ``callersOnTop``.
    package static let current = 2
    /// From this one on a worker tells hooks paths below ``RuntimeDirectory/tree``, if
    /// ``HandoverMemory/hasCallersOnTop`` says so.
    package static let callersOnTop = 2
}
