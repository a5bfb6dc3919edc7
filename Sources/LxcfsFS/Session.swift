import CFuse3
import Glibc
import Logging
import Synchronization
import Syscalls

/// One FUSE connection, which the keeper has opened, and the threads that answer its
/// requests.
final class Session: @unchecked Sendable {
    let handle: OpaquePointer
    /// The open `/dev/fuse`.
    private let file: FileDescriptor
    private let connection: SharedState.Connection
    private let shared: SharedState
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
        _ tree: Tree, device: consuming FileDescriptor, _ connection: SharedState.Connection,
        _ shared: SharedState, log: Logger
    ) throws(SystemError) {
        file = device
        self.connection = connection
        self.shared = shared
        guard let session = makeSession(tree) else {
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
            let sent = answer.withUnsafeBytes { write(file.raw, $0.baseAddress, $0.count) }
            // ENOENT: it has been sent before.
            if sent < 0, errno != ENOENT {
                throw SystemError("answer INIT of", "a FUSE connection", errno: errno)
            }
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
    /// - Parameter refused: requests to be answered with EIO, see ``Suspects``.
    func start(threads count: Int, name: String, refused: Set<UInt64>) throws(SystemError) {
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
        let worker = Worker.current
        var buffer = fuse_buf()
        buffer.mem = request.memory
        if request.size > 0 {
            worker.isReplaying = true
            buffer.size = request.size
            answer(request, &buffer, worker)
            worker.isReplaying = false
        }
        request.touch()
        while !isStopping.load(ordering: .acquiring) {
            let size = Glibc.read(device, request.memory, SharedState.requestSize)
            if size > 0 {
                buffer.size = size
                answer(request, &buffer, worker)
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
        _ request: PendingRequest, _ buffer: inout fuse_buf, _ worker: Worker
    ) {
        worker.request = Suspects.key(request, connection)
        if !refused.isEmpty, refused.contains(worker.request) {
            refuse(request)
        } else if !worker.isReplaying || request.operation != PendingRequest.interrupt {
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

/// Runs `body` on a new, detached thread with all signals blocked: signals are for the main
/// thread.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 512 << 10)
    let start = Unmanaged.passRetained(Start(name, body))
    var blocked = sigset_t()
    var former = sigset_t()
    sigfillset(&blocked)
    pthread_sigmask(SIG_SETMASK, &blocked, &former)
    let result = pthread_create(
        &thread, &attributes,
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            pthread_setname_np(pthread_self(), start.name)
            start.body()
            return nil
        }, start.toOpaque())
    pthread_sigmask(SIG_SETMASK, &former, nil)
    if result != 0 {
        start.release()
        throw SystemError("start thread", name, errno: result)
    }
}

// MARK: - The C side
//
// Global functions, not closures: a closure written where the main actor is current is
// taken to belong to it, and traps when libfuse calls it on a thread of its own.

private func makeSession(_ tree: Tree) -> OpaquePointer? {
    var operations = fuse_lowlevel_ops()
    operations.`init` = fuseInit
    operations.lookup = fuseLookup
    operations.getattr = fuseGetattr
    operations.readlink = fuseReadlink
    operations.open = fuseOpen
    operations.read = fuseRead
    operations.write = fuseWrite
    operations.poll = fusePoll
    operations.release = fuseRelease
    operations.readdir = fuseReaddir
    // No `flush`: answered with ENOSYS once by libfuse, it is never sent again.

    let words = ["lxcfsd"]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    defer { for argument in arguments { free(argument) } }
    return arguments.withUnsafeMutableBufferPointer { buffer in
        var list = fuse_args(argc: CInt(buffer.count), argv: buffer.baseAddress, allocated: 0)
        defer { fuse_opt_free_args(&list) }
        // The session lives as long as the process, and so does its tree.
        return fuse_session_new(
            &list, &operations, MemoryLayout<fuse_lowlevel_ops>.size,
            Unmanaged.passRetained(tree).toOpaque())
    }
}

private func tree(_ request: fuse_req_t?) -> Tree {
    guard let data = fuse_req_userdata(request) else {
        preconditionFailure("a FUSE request without its session")
    }
    return Unmanaged<Tree>.fromOpaque(data).takeUnretainedValue()
}

private func fuseInit(
    _ userdata: UnsafeMutableRawPointer?, _ connection: UnsafeMutablePointer<fuse_conn_info>?
) {
    guard let connection else { return }
    // Asking for attributes before each read bounds how old content can be; the content
    // itself is only dropped when size or generation change (see ContainerTree).
    connection.pointee.want |= connection.pointee.capable & UInt32(FUSE_CAP_AUTO_INVAL_DATA)
    // Attributes of files in a listing would make content for nobody.
    connection.pointee.want &= ~UInt32(FUSE_CAP_READDIRPLUS)
    // Bounds the room that requests need (SharedState.requestSize).
    connection.pointee.max_write = min(connection.pointee.max_write, 1 << 20)
}

private func fuseLookup(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?
) {
    guard let request, let name else { return }
    tree(request).lookup(request, parent: NodeID(raw: UInt64(parent)), name: name)
}

private func fuseGetattr(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request else { return }
    tree(request).getattr(request, NodeID(raw: UInt64(node)))
}

private func fuseReadlink(_ request: fuse_req_t?, _ node: fuse_ino_t) {
    guard let request else { return }
    tree(request).readlink(request, NodeID(raw: UInt64(node)))
}

private func fuseOpen(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request, let file else { return }
    tree(request).open(request, NodeID(raw: UInt64(node)), file)
}

private func fuseRead(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request else { return }
    tree(request).read(request, NodeID(raw: UInt64(node)), size: size, offset: offset, file)
}

private func fuseWrite(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ text: UnsafePointer<CChar>?, _ size: Int,
    _ offset: off_t, _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request else { return }
    tree(request).write(
        request, NodeID(raw: UInt64(node)), UnsafeRawBufferPointer(start: text, count: size),
        file)
}

private func fusePoll(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?,
    _ handle: OpaquePointer?
) {
    guard let request else { return }
    tree(request).poll(request, NodeID(raw: UInt64(node)), file, handle)
}

private func fuseRelease(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request, let file else { return }
    tree(request).release(request, file)
}

private func fuseReaddir(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request else { return }
    tree(request).readdir(request, NodeID(raw: UInt64(node)), size: size, offset: offset)
}
