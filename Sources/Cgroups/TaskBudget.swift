/// What one look at the threads of a container may cost. A container decides how many it has, and
/// how many cgroups they are in: what is beyond this is estimated, see ``TaskSweep``.
public struct TaskBudget: Equatable, Sendable {
    /// Threads whose state is asked for: an open, a read and a close in procfs each.
    public var threads: Int
    /// Cgroups that are looked into: two opens, a read and a listing each.
    public var cgroups: Int
    /// Bytes of lists of threads.
    public var listed: Int
    /// CPU time of the thread that looks, in nanoseconds. What the kernel does in one call is not
    /// cut short.
    public var time: UInt64

    /// - Parameters:
    ///   - listed: bytes.
    ///   - time: nanoseconds.
    public init(threads: Int, cgroups: Int, listed: Int, time: UInt64) {
        self.threads = threads
        self.cgroups = cgroups
        self.listed = listed
        self.time = time
    }

    /// While a request is answered: what ordinary containers have.
    public static let inPlace = TaskBudget(
        threads: 256, cgroups: 128, listed: 16 << 10, time: 4_000_000)

    /// Where nobody waits.
    public static let background = TaskBudget(
        threads: 1024, cgroups: 512, listed: 256 << 10, time: 10_000_000)
}
