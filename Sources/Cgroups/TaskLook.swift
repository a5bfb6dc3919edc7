/// What one look at the threads of a container has found.
public struct TaskLook: Equatable, Sendable {
    /// How much of the container the counts are about.
    public enum Extent: Sendable {
        /// All of it, at this moment: each thread has been looked at.
        case all
        /// All of it, in parts: the sum of the looks of a round, each scaled up from a sample.
        case round
        /// What has been seen since the round began.
        case part
    }

    public var counts = TaskCounts()
    public var extent = Extent.part
    /// Cgroups that have been looked into.
    public var cgroups = 0
    /// Threads that were listed.
    public var listed = 0

    public init() {}

    /// Whether a look of this budget finds all there is.
    public func fits(_ budget: TaskBudget) -> Bool {
        extent == .all && listed <= budget.threads && cgroups <= budget.cgroups
    }
}
