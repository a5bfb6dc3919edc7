import Control
import Glibc
import JSON
import Syscalls

/// What the keeper tells a worker at its start: how to run, and under which numbers it
/// has inherited the descriptors.
///
/// It goes over as one JSON object. Keeper and worker may be of different versions, and so its
/// keys are part of the contract between versions: none of those that are required may go, what
/// is added must be optional, and keys that are not known are ignored.
public struct WorkerSetup: Fields {
    package var options = DaemonOptions()
    /// The process number of the keeper.
    package var keeper: Int32 = 0
    /// When the keeper started, in nanoseconds on the monotonic clock.
    package var startedAt: UInt64 = 0
    /// The same in seconds since 1970.
    package var startedAtRealtime = 0
    /// The worker before this one was killed by a signal that says that it was at fault.
    package var afterCrash = false
    /// The keeper's ``Contract``; nil means the first one.
    package var contract: Int? = Contract.current

    /// Messages to and from the keeper.
    package var link: Int32 = -1
    /// In the order of ``HandoverDescriptor``.
    private var inherited = [Int32](repeating: -1, count: HandoverDescriptor.allCases.count)
    /// What earlier workers have had kept.
    package var kept: [Kept] = []

    /// A descriptor that a worker has handed to the keeper, so that the next worker has it.
    public struct Kept: Fields {
        public var name = ""
        /// What the worker has to know of it.
        public var payload = ""
        /// The number under which it has been inherited.
        public var descriptor: Int32 = -1

        public init() {}

        package init(name: String, payload: String, descriptor: Int32) {
            self.name = name
            self.payload = payload
            self.descriptor = descriptor
        }

        public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
            try fields.required("name", &name)
            try fields.required("payload", &payload)
            try fields.required("descriptor", &descriptor)
        }

        /// A copy of the inherited descriptor, whoever takes or closes that.
        package func duplicate() throws(SystemError) -> FileDescriptor {
            let number = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
            if number < 0 { throw SystemError("duplicate", name, errno: errno) }
            return FileDescriptor(owning: number)
        }

        /// Takes ownership of the inherited descriptor; to be called once.
        package func take() -> NamedDescriptor {
            NamedDescriptor(name: name, payload: payload, FileDescriptor(owning: descriptor))
        }
    }

    /// For reading: what is absent then has the value of the first contract.
    public init() { contract = nil }

    package init(
        options: DaemonOptions, startedAt: UInt64, startedAtRealtime: Int, keeper: Int32
    ) {
        self.options = options
        self.startedAt = startedAt
        self.startedAtRealtime = startedAtRealtime
        self.keeper = keeper
    }

    /// - Throws: `JSONFault`.
    public init(json text: [UInt8]) throws(JSONFault) {
        try self.init(JSONText(text, keepsUnknown: false).root)
    }

    /// What ``inMemory()`` has made.
    ///
    /// - Parameter argument: the number of the descriptor, which is closed.
    /// - Throws: `DaemonError` if that is no number; `SystemError`; `JSONFault`.
    public init(argument: String) throws {
        guard let number = CInt(argument), number >= ChildProcess.firstDescriptor else {
            throw DaemonError("\(argument.debugDescription) is no descriptor of a setup")
        }
        self = try WorkerSetup(
            json: try FileDescriptor(owning: number).readToEnd(path: "the worker's setup"))
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("options", &options)
        try fields.required("keeper", &keeper)
        try fields.required("startedAt", &startedAt)
        try fields.required("startedAtRealtime", &startedAtRealtime)
        try fields.required("afterCrash", &afterCrash)
        try fields.optional("contract", &contract)
        try fields.required("link", &link)
        for descriptor in HandoverDescriptor.allCases {
            try fields.required(descriptor.name, &inherited[descriptor.rawValue])
        }
        try fields.required("kept", &kept)
    }

    /// The number under which a descriptor has been inherited.
    package subscript(_ descriptor: HandoverDescriptor) -> Int32 {
        get { inherited[descriptor.rawValue] }
        set { inherited[descriptor.rawValue] = newValue }
    }

    /// The numbers of all that has been inherited.
    package var descriptors: [Int32] { [link] + inherited + kept.map(\.descriptor) }

    /// A file with this as a JSON object, to be read from where it is. (An argument may not be
    /// as long as this can be.)
    package func inMemory() throws(SystemError) -> FileDescriptor {
        let text = encodeLine(self)
        let file = try SharedMemory.make("lxcfsd-setup", size: text.count)
        try file.write(text, path: "a worker's setup")
        guard lseek(file.raw, 0, SEEK_SET) == 0 else {
            throw SystemError("go back to the start of", "a worker's setup", errno: errno)
        }
        return file
    }

    public var logsDebugMessages: Bool { options.logsDebugMessages }
}
