import Glibc

/// What the threads of a container are doing at one moment.
public struct TaskCounts: Equatable, Sendable {
    /// Threads that run or wait for a CPU (state R).
    public var running = 0
    /// Threads in uninterruptible sleep (state D).
    public var blocked = 0
    /// All threads.
    public var total = 0
    /// The highest process number seen, as the container's own pid namespace counts.
    public var lastPID = 0

    public init() {}

    /// Threads that run, with the one that reads the file: it runs too, though at the moment
    /// of counting it waits for the answer.
    public var runningWithReader: Int { max(running, 1) }

    /// What the kernel's load average counts.
    public var active: Int { running + blocked }
}
