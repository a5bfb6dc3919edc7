import CLinux
import Glibc
import Syscalls

/// What must survive a worker: memory that the keeper holds and every worker maps.
///
/// All that is in it is written so that a worker may be killed between any two instructions:
/// what says that something is valid is stored last.
///
///     header | INIT of each connection | announcements | open files | system calls | requests
final class SharedState: @unchecked Sendable {
    /// To be changed with the layout, or that of ``NodeID``: memory of another version is not understood.
    static let version: UInt32 = 3

    /// The two FUSE connections.
    enum Connection: Int, CaseIterable, Sendable {
        case containers, callers
    }

    private let base: UnsafeMutableRawPointer
    /// Per connection.
    let threads: Int

    private enum Offset {
        static let version = 0
        static let passThrough = 4
        static let nextSlot = 8
        static let life = 16
        static let threads = 32
        static let coherence = 36
        static let madeDirectory = 40
        static let worker = 44
        static let suspects = 1024
        static let pushes = suspects + Suspects.size
        static let initial = 4096
        static let announcements = 16384
        static let openFiles = announcements + Announcements.size
        static let agent = openFiles + OpenFiles.size
        static let requests = agent + AgentSlots.size
    }

    /// Bytes of a request at most: the kernel insists on room for its largest.
    static let requestSize = 1 << 20 | 1 << 16

    /// - Parameter threads: per connection.
    static func size(threads: Int) -> Int {
        Offset.requests + Connection.allCases.count * threads * requestSize
    }

    static func make(_ options: DaemonOptions) throws(SystemError) -> FileDescriptor {
        let memory = try SharedMemory.make("lxcfsd", size: size(threads: options.threads))
        let base = try SharedMemory.map(memory, size: Offset.initial)
        clinux_store32(base + Offset.threads, UInt32(options.threads))
        clinux_store32(base + Offset.coherence, UInt32(options.coherence))
        clinux_store32(base + Offset.version, version)
        munmap(base, Offset.initial)
        return memory
    }

    init(_ memory: borrowing FileDescriptor) throws(SystemError) {
        let header = try SharedMemory.map(memory, size: Offset.initial)
        let version = clinux_load32(header + Offset.version)
        let threads = Int(clinux_load32(header + Offset.threads))
        munmap(header, Offset.initial)
        guard version == Self.version, (1...1024).contains(threads) else {
            throw SystemError(
                "understand", "the shared memory of another version", errno: EPROTO)
        }
        self.threads = threads
        base = try SharedMemory.map(memory, size: Self.size(threads: threads))
    }

    // MARK: - Header

    /// Containers are shown the host (SIGUSR2).
    var passesThrough: Bool {
        get { clinux_load32(base + Offset.passThrough) != 0 }
        set { clinux_store32(base + Offset.passThrough, newValue ? 1 : 0) }
    }

    /// The mountpoint has been made by us.
    var madeDirectory: Bool {
        get { clinux_load32(base + Offset.madeDirectory) != 0 }
        set { clinux_store32(base + Offset.madeDirectory, newValue ? 1 : 0) }
    }

    /// Options that have been chosen with the connections and cannot be changed any more.
    func bind(_ options: inout DaemonOptions) {
        options.threads = threads
        let coherence = Int(clinux_load32(base + Offset.coherence))
        // The kernel opens files without asking, or not.
        if (coherence == 0) != (options.coherence == 0) { options.coherence = coherence }
    }

    /// Where the number of the next container is kept: the kernel remembers node ids of
    /// containers that are gone.
    var nextSlot: UInt32 {
        get { clinux_load32(base + Offset.nextSlot) }
        set { clinux_store32(base + Offset.nextSlot, newValue) }
    }

    /// The worker that serves, or did last.
    var worker: pid_t {
        get { pid_t(bitPattern: clinux_load32(base + Offset.worker)) }
        set { clinux_store32(base + Offset.worker, UInt32(bitPattern: newValue)) }
    }

    /// How many workers there have been, this one included.
    private(set) lazy var life: UInt64 = clinux_add64(base + Offset.life, 1) + 1

    // MARK: - Parts

    func initial(_ connection: Connection) -> InitialExchange {
        InitialExchange(base + Offset.initial + connection.rawValue * InitialExchange.size)
    }

    var announcements: Announcements {
        Announcements(base + Offset.announcements)
    }

    var openFiles: UnsafeMutableRawPointer { base + Offset.openFiles }

    /// Where thread number `thread` receives requests. A request stays there until it is
    /// answered, so that the next worker finds it.
    func request(_ connection: Connection, _ thread: Int) -> PendingRequest {
        let index = connection.rawValue * threads + thread
        return PendingRequest(base + Offset.requests + index * Self.requestSize)
    }

    func requests(_ connection: Connection) -> [PendingRequest] {
        (0..<threads).map { request(connection, $0) }
    }

    var agentSlots: AgentSlots { AgentSlots(base + Offset.agent) }

    var pushes: UnsafeMutableRawPointer { base + Offset.pushes }

    var suspects: Suspects { Suspects(base + Offset.suspects) }
}

/// A request of the kernel (struct fuse_in_header) in memory that the keeper holds.
struct PendingRequest: @unchecked Sendable {
    let memory: UnsafeMutableRawPointer

    init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    private static let headerSize = 40
    /// `FUSE_UNIQUE_RESEND`: the kernel sets it in the number of what it sends again.
    private static let resendBit: UInt64 = 1 << 63

    /// Bytes; 0 if there is no request.
    var size: Int {
        let size = Int(clinux_load32(memory))
        return size >= Self.headerSize && size <= SharedState.requestSize ? size : 0
    }
    var operation: UInt32 { clinux_load32(memory + 4) }
    /// The number that the answer has to bear.
    var rawUnique: UInt64 { clinux_load64(memory + 8) }
    /// The number without the mark of what has been sent again.
    var unique: UInt64 { rawUnique & ~Self.resendBit }

    /// The request has been answered, or will be sent again.
    func clear() { clinux_store32(memory, 0) }

    /// Writing the first pages now makes sure that the kernel never has to wait for memory
    /// when it hands over a request; it would fail the request if the worker was killed then.
    func touch() {
        for page in 0..<2 {
            let at = memory + page * 4096 + 2048
            clinux_store32(at, clinux_load32(at))
        }
    }

    static let interrupt: UInt32 = 36
}

/// The first exchange of a connection: the kernel's INIT and libfuse's answer. Every worker
/// replays it, for only so libfuse knows what was agreed on.
struct InitialExchange {
    static let size = 4096
    private let memory: UnsafeMutableRawPointer

    init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// The room that the kernel insists on (FUSE_MIN_READ_BUFFER), though INIT is far
    /// shorter.
    static let requestRoom = 8192

    /// Where INIT is received.
    var request: PendingRequest { PendingRequest(memory) }
    private var answerSize: UnsafeMutableRawPointer { memory + 2048 }
    private var answerBytes: UnsafeMutableRawPointer { memory + 2052 }

    /// What has been answered; nil if nothing yet.
    var answer: [UInt8]? {
        let size = Int(clinux_load32(answerSize))
        guard size > 0, size <= 1024 else { return nil }
        return Array(UnsafeRawBufferPointer(start: answerBytes, count: size))
    }

    func setAnswer(_ bytes: [UInt8]) {
        let part = bytes.prefix(1024)
        part.withUnsafeBytes {
            if let first = $0.baseAddress {
                answerBytes.copyMemory(from: first, byteCount: $0.count)
            }
        }
        clinux_store32(answerSize, UInt32(part.count))
    }
}

/// Requests that were being answered when a worker crashed. One that was there every time is
/// taken for the cause.
struct Suspects {
    private static let count = 128
    static let size = count * 16
    private let memory: UnsafeMutableRawPointer

    init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// Crashes that a request is given.
    static let limit: UInt64 = 3

    /// Takes note of a crash.
    ///
    /// - Parameter pending: the requests that were being answered, by ``key(_:_:)``.
    /// - Returns: those that are not to be tried again.
    func crashed(with pending: [UInt64]) -> Set<UInt64> {
        var former: [UInt64: UInt64] = [:]
        for index in 0..<Self.count {
            let key = clinux_load64(memory + index * 16)
            if key != 0 { former[key] = clinux_load64(memory + index * 16 + 8) }
        }
        var bad: Set<UInt64> = []
        for index in 0..<Self.count {
            let at = memory + index * 16
            clinux_store64(at, 0)
            guard index < pending.count else { continue }
            let crashes = (former[pending[index]] ?? 0) + 1
            if crashes >= Self.limit { bad.insert(pending[index]) }
            clinux_store64(at + 8, crashes)
            clinux_store64(at, pending[index])
        }
        return bad
    }

    /// Numbers of requests are even, and counted per connection.
    static func key(_ request: PendingRequest, _ connection: SharedState.Connection) -> UInt64 {
        request.unique | UInt64(connection.rawValue)
    }
}
