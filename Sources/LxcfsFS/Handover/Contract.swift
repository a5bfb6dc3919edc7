/// Which version of the contract between keeper and worker a process follows.
///
/// Each of the two tells the other: the keeper in ``WorkerSetup``, the worker in
/// ``ToKeeper/ready(contract:)``. Nothing depends on it yet. It is there so that a later version
/// can tell what the other side understands.
package enum Contract {
    /// Of a process that does not say which.
    package static let first = 1
    /// What this version follows. The second one only adds that this number is told, and that
    /// messages of an unknown kind are ignored.
    package static let current = 2
}
