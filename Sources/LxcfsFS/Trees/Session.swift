import CFuse3
import Glibc
import Logging
import LxcfsHandover
import LxcfsPageCache
import Synchronization
import Syscalls

/// One FUSE connection, which the keeper has opened, and the threads that answer its
/// requests.
final class Session: @unchecked Sendable {
    private let handle: OpaquePointer
    private let target = RequestTarget()
    /// Of this connection.
    let counters = RequestCounters()
    /// The open `/dev/fuse`.
    private let file: FileDescriptor
    private let connection: FUSEConnection
    private let shared: HandoverMemory
    private let isStopping = Atomic<Bool>(false)
    private var device: CInt { file.raw }
    private let lock = Lock()
    private var threads: [pthread_t] = []
    private let running = Atomic<Int>(0)
    /// Requests that are answered with EIO, see ``Suspects``.
    private var refused: Set<UInt64> = []

    /// Lets libfuse come to the state that the connection is in. If the kernel has not had
    /// its answer to INIT, it gets it.
    ///
    /// - Parameters:
    ///   - device: the open `/dev/fuse`.
    ///   - log: told if this libfuse would have agreed on something else.
    init(
        device: consuming FileDescriptor, _ connection: FUSEConnection,
        _ shared: HandoverMemory, log: Logger
    ) throws(SystemError) {
        file = device
        self.connection = connection
        self.shared = shared
        guard let session = makeSession(target) else {
            throw SystemError("make a", "FUSE session", errno: EINVAL)
        }
        handle = session
        // libfuse writes to this descriptor: first into a file where its answer to INIT can be
        // looked at, then to the device.
        let outlet = try SharedMemory.make("fuse-init", size: 4096)
        let number = outlet.raw
        guard fuse_session_mount(session, "/dev/fd/\(number)") == 0 else {
            throw SystemError("use descriptor \(number) for", "a FUSE session", errno: EBADF)
        }
        let initial = shared.initial(connection)
        if initial.request.size == 0 { try Self.receiveInit(file.raw, into: initial.request) }
        var buffer = fuse_buf()
        buffer.mem = initial.request.memory
        buffer.size = initial.request.size
        fuse_session_process_buf(session, &buffer)
        let answer = try Self.answer(in: outlet)
        if let former = initial.answer {
            // The first 16 bytes are the header, with the number of the request.
            if former != answer { log.warning("INIT was answered otherwise before") }
        } else {
            let sent = initial.refusingHandles(answer).withUnsafeBytes {
                write(file.raw, $0.baseAddress, $0.count)
            }
            // ENOENT: it has been sent before.
            if sent < 0, errno != ENOENT {
                throw SystemError("answer INIT of", "a FUSE connection", errno: errno)
            }
            // Without what libfuse does not know of: each worker compares this with its own.
            initial.setAnswer(answer)
        }
        guard dup3(file.raw, number, O_CLOEXEC) == number else {
            throw SystemError("duplicate", "a FUSE connection", errno: errno)
        }
        // From now on it is libfuse's.
        _ = outlet.release()
    }

    private static func receiveInit(
        _ device: CInt, into request: PendingRequest
    ) throws(SystemError) {
        while true {
            let size = Glibc.read(device, request.memory, InitialExchange.requestRoom)
            if size > 0 { return }
            guard size < 0, errno == EINTR || errno == ENOENT || errno == EAGAIN else {
                throw SystemError("receive INIT of", "a FUSE connection", errno: errno)
            }
        }
    }

    private static func answer(
        in outlet: borrowing FileDescriptor
    ) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = bytes.withUnsafeMutableBytes {
            pread(outlet.raw, $0.baseAddress, $0.count, 0)
        }
        let size = Int(bytes[0]) | Int(bytes[1]) << 8
        let hasError = bytes[4..<8].contains { $0 != 0 }
        guard count >= 16, size >= 16, size <= count, !hasError else {
            throw SystemError("agree with the kernel on", "the FUSE protocol", errno: EPROTO)
        }
        return Array(bytes[..<size])
    }

    // MARK: - What an earlier worker has left

    /// The requests that an earlier worker was answering when it ended.
    var pending: [UInt64] {
        shared.requests(connection).filter { $0.size > 0 }.map { Suspects.key($0, connection) }
    }

    /// Has the kernel send again what is unanswered (`FUSE_NOTIFY_RESEND`, Linux 6.9).
    ///
    /// - Returns: false if the kernel cannot.
    func resend() throws(SystemError) -> Bool {
        // struct fuse_out_header: length, FUSE_NOTIFY_RESEND, 0 for a notification.
        let notification: [UInt32] = [16, 7, 0, 0]
        let sent = notification.withUnsafeBytes { write(device, $0.baseAddress, $0.count) }
        if sent < 0 {
            if errno == EINVAL { return false }
            throw SystemError("have requests sent again on", "a FUSE connection", errno: errno)
        }
        for request in shared.requests(connection) { request.clear() }
        return true
    }

    // MARK: - Threads

    /// Starts `count` threads that answer requests until the connection ends.
    ///
    /// - Parameters:
    ///   - tree: what they answer from.
    ///   - refused: requests to be answered with EIO, see ``Suspects``.
    func start(
        serving tree: Tree, threads count: Int, name: String, refused: Set<UInt64>
    ) throws(SystemError) {
        target.tree = tree
        self.refused = refused
        for index in 0..<count {
            running.add(1, ordering: .relaxed)
            do throws(SystemError) {
                try startThread(name) { [self] in
                    lock.withLock { threads.append(pthread_self()) }
                    answerRequests(shared.request(connection, index))
                    lock.withLock { threads.removeAll { $0 == pthread_self() } }
                    running.subtract(1, ordering: .releasing)
                }
            } catch {
                running.subtract(1, ordering: .relaxed)
                throw error
            }
        }
    }

    /// Interrupts the threads in waiting for requests.
    static let interruption = SIGUSR1

    /// Lets the threads finish what they are answering, and no more.
    ///
    /// - Parameter deadline: on the monotonic clock.
    /// - Returns: false if they have not finished by then.
    func stop(deadline: UInt64) -> Bool {
        isStopping.store(true, ordering: .releasing)
        while running.load(ordering: .acquiring) > 0 {
            // Again and again: it is lost on a thread that is just about to wait.
            lock.withLock { for thread in threads { pthread_kill(thread, Self.interruption) } }
            if Clock.monotonic() > deadline { return false }
            usleep(500)
        }
        return true
    }

    private func answerRequests(_ request: PendingRequest) {
        do {
            try Interruption.allow(Self.interruption)
        } catch {
            preconditionFailure("\(error)")
        }
        let workspace = Workspace.current
        var buffer = fuse_buf()
        buffer.mem = request.memory
        if request.size > 0 {
            workspace.isReplaying = true
            buffer.size = request.size
            answer(request, &buffer, workspace)
            workspace.isReplaying = false
        }
        request.touch()
        while !isStopping.load(ordering: .acquiring) {
            let size = Glibc.read(device, request.memory, PendingRequest.room)
            if size > 0 {
                buffer.size = size
                answer(request, &buffer, workspace)
            } else if size < 0, errno == EINTR || errno == ENOENT || errno == EAGAIN {
                continue
            } else {
                // Unmounted, or aborted.
                break
            }
        }
    }

    @inline(__always)
    private func answer(
        _ request: PendingRequest, _ buffer: inout fuse_buf, _ workspace: Workspace
    ) {
        workspace.request = Suspects.key(request, connection)
        if !refused.isEmpty, refused.contains(workspace.request) {
            refuse(request)
        } else if !workspace.isReplaying || request.operation != PendingRequest.interrupt {
            fuse_session_process_buf(handle, &buffer)
        }
        request.clear()
    }

    private func refuse(_ request: PendingRequest) {
        let unique = request.rawUnique
        let answer: [UInt32] = [
            16, UInt32(bitPattern: -EIO), UInt32(truncatingIfNeeded: unique),
            UInt32(truncatingIfNeeded: unique >> 32),
        ]
        _ = answer.withUnsafeBytes { write(device, $0.baseAddress, $0.count) }
    }
}

extension Session: KernelPages {
    func store(_ content: Snapshot, in node: NodeID) -> Bool {
        var vector = fuse_bufvec()
        vector.count = 1
        vector.buf.size = content.count
        vector.buf.mem = UnsafeMutableRawPointer(mutating: content.bytes.baseAddress)
        counters.count(.store)
        let result = withExtendedLifetime(content) {
            fuse_lowlevel_notify_store(handle, node.raw, 0, &vector, FUSE_BUF_NO_SPLICE)
        }
        // ENOENT: the kernel does not remember the file.
        return result == 0 || result == -ENOENT
    }

    func waitsForPage(_ thread: pid_t) -> Bool { sleepsUninterruptibly(thread: thread) }

    func drop(_ node: NodeID) -> Bool {
        let result = fuse_lowlevel_notify_inval_inode(handle, node.raw, 0, 0)
        // ENOENT: the kernel has forgotten the file by itself.
        return result == 0 || result == -ENOENT
    }
}
