import Control
import FoundationEssentials
import Glibc
import Syscalls

/// What the keeper tells a worker at its start: how to run, and under which numbers it
/// has inherited the descriptors.
///
/// A worker may be newer than its keeper: what is added here must be optional.
public struct WorkerSetup: Codable, Sendable {
    package var options: DaemonOptions
    /// The process number of the keeper.
    package var keeper: Int32
    /// When the keeper started, in nanoseconds on the monotonic clock and seconds since 1970.
    package var startedAt: UInt64
    package var startedAtRealtime: Int
    /// The worker before this one was killed by a signal that says that it was at fault.
    package var afterCrash: Bool

    /// Messages to and from the keeper.
    package var link: Int32
    /// `/dev/fuse`, by connection.
    package var containers: Int32
    package var callers: Int32
    /// The control socket.
    package var control: Int32
    /// The socket of the seccomp agent.
    package var seccomp: Int32
    /// ``HandoverMemory``.
    package var memory: Int32
    /// What earlier workers have had kept.
    package var kept: [Kept]

    /// A descriptor that a worker has handed to the keeper, so that the next worker has it.
    public struct Kept: Codable, Equatable, Sendable {
        public var name: String
        /// What the worker has to know of it.
        public var payload: String
        /// The number under which it has been inherited.
        public var descriptor: Int32

        package init(name: String, payload: String, descriptor: Int32) {
            self.name = name
            self.payload = payload
            self.descriptor = descriptor
        }

        /// Takes ownership of the inherited descriptor; to be called once.
        package func take() -> NamedDescriptor {
            NamedDescriptor(name: name, payload: payload, FileDescriptor(owning: descriptor))
        }
    }

    /// - Throws: what `JSONDecoder` throws.
    public init(json text: [UInt8]) throws {
        self = try JSONDecoder().decode(WorkerSetup.self, from: Data(text))
    }

    /// What ``inMemory()`` has made.
    ///
    /// - Parameter argument: the number of the descriptor, which is closed.
    /// - Throws: `SystemError`, and what `JSONDecoder` throws.
    public init(argument: String) throws {
        guard let number = CInt(argument), number >= ChildProcess.firstDescriptor else {
            throw SystemError("read the setup from descriptor", argument, errno: EBADF)
        }
        self = try WorkerSetup(
            json: try FileDescriptor(owning: number).readToEnd(path: "the worker's setup"))
    }

    /// A file with this as a JSON object, to be read from where it is.
    package func inMemory() throws(SystemError) -> FileDescriptor {
        let text = encodeLine(self)
        let file = try SharedMemory.make("lxcfsd-setup", size: text.count)
        try file.write(text, path: "a worker's setup")
        guard lseek(file.raw, 0, SEEK_SET) == 0 else {
            throw SystemError("go back to the start of", "a worker's setup", errno: errno)
        }
        return file
    }

    package init(
        options: DaemonOptions, startedAt: UInt64, startedAtRealtime: Int, keeper: Int32
    ) {
        self.options = options
        self.startedAt = startedAt
        self.startedAtRealtime = startedAtRealtime
        self.keeper = keeper
        afterCrash = false
        link = -1
        containers = -1
        callers = -1
        control = -1
        seccomp = -1
        memory = -1
        kept = []
    }

    public var logsDebugMessages: Bool { options.logsDebugMessages }
}
