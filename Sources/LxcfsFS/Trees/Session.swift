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
    let connection: FUSEConnection
    private let shared: HandoverMemory
    private let dispatcher: Dispatcher
    private let isStopping = Atomic<Bool>(false)
    private var device: CInt { file.raw }
    private let lock = Lock()
    private var threads: [pthread_t] = []
    private let running = Atomic<Int>(0)
    /// Requests that are answered with EIO, see ``Suspects``.
    private var refused: Set<UInt64> = []
    private var owners: RequestOwners?
    /// Threads that receive, or could: they are not answering a request of a container.
    private let receiving = Atomic<Int>(0)

    /// Lets libfuse come to the state that the connection is in. If the kernel has not had
    /// its answer to INIT, it gets it.
    ///
    /// - Parameters:
    ///   - device: the open `/dev/fuse`.
    ///   - dispatcher: answers what the threads of the connection cannot answer themselves.
    ///   - log: told if this libfuse would have agreed on something else.
    init(
        device: consuming FileDescriptor, _ connection: FUSEConnection,
        _ shared: HandoverMemory, _ dispatcher: Dispatcher, log: Logger
    ) throws(SystemError) {
        file = device
        self.dispatcher = dispatcher
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

    /// The requests that an earlier worker was answering when it ended, and that may have been the
    /// cause: not those that waited for their container.
    var pending: [UInt64] {
        shared.requests(connection).filter { $0.size > 0 && !$0.isHeldUp }
            .map { Suspects.key($0, connection) }
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

    /// Has requests that an earlier worker has left answered, and starts `count` threads that
    /// receive requests until the connection ends.
    ///
    /// - Parameters:
    ///   - tree: what they are answered from.
    ///   - owners: says whose they are.
    ///   - refused: requests to be answered with EIO, see ``Suspects``.
    func start(
        serving tree: Tree, _ owners: RequestOwners, threads count: Int, name: String,
        refused: Set<UInt64>
    ) throws(SystemError) {
        target.tree = tree
        self.owners = owners
        self.refused = refused
        for index in 0..<count {
            running.add(1, ordering: .relaxed)
            do throws(SystemError) {
                try startThread(name) { [self] in
                    lock.withLock { threads.append(pthread_self()) }
                    receiveRequests(shared.request(connection, index), owners)
                    lock.withLock { threads.removeAll { $0 == pthread_self() } }
                    running.subtract(1, ordering: .releasing)
                }
            } catch {
                running.subtract(1, ordering: .relaxed)
                throw error
            }
        }
    }

    /// Whose a request is that an earlier worker has put aside. After ``start(serving:_:threads:name:refused:)``.
    func gate(ofLeft request: PendingRequest) -> RequestGate? {
        guard let owners else { return nil }
        switch owners.owner(of: request) {
        case .container(let gate): return gate
        case .nobody: return owners.unknown
        case .noAnswer: return nil
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

    private func receiveRequests(_ request: PendingRequest, _ owners: RequestOwners) {
        do {
            try Interruption.allow(Self.interruption)
        } catch {
            preconditionFailure("\(error)")
        }
        let workspace = Workspace.current
        workspace.heldUp = request.heldUp
        request.touch()
        request.belongs(to: gettid())
        var buffer = fuse_buf()
        buffer.mem = request.memory
        receiving.add(1, ordering: .relaxed)
        if request.size > 0 {
            workspace.isReplaying = true
            _ = take(request, &buffer, owners, workspace)
            workspace.isReplaying = false
        }
        while !isStopping.load(ordering: .acquiring) {
            let start = workspace.beginWork()
            let size = Glibc.read(device, request.memory, PendingRequest.room)
            if size > 0 {
                let gate = take(request, &buffer, owners, workspace)
                if let start { gate?.account.charge(since: start) }
            } else if size < 0, errno == EINTR || errno == ENOENT || errno == EAGAIN {
                continue
            } else {
                // Unmounted, or aborted.
                break
            }
        }
        receiving.subtract(1, ordering: .relaxed)
    }

    /// Answers a request that the calling thread has received, or has it answered.
    ///
    /// - Returns: whose it was; nil if nobody's.
    @inline(__always)
    private func take(
        _ request: PendingRequest, _ buffer: inout fuse_buf, _ owners: RequestOwners,
        _ workspace: Workspace
    ) -> RequestGate? {
        buffer.size = request.size
        switch owners.owner(of: request) {
        case .noAnswer: break
        case .nobody: _ = answer(request, &buffer, workspace)
        case .container(let gate):
            // A write may be too long to be put aside.
            let mustStay = buffer.size > AsideRequests.room
            let left = receiving.subtract(1, ordering: .relaxed).newValue
            let isHere = (left > 0 || mustStay) && gate.enter()
            if isHere, !answer(request, &buffer, workspace, gate),
                !dispatcher.putOff(
                    request, connection, gate, changes: workspace.changes,
                    isReplaying: workspace.isReplaying)
            {
                _ = answer(request, &buffer, workspace, gate, mayPutOff: false)
            }
            receiving.add(1, ordering: .relaxed)
            if isHere {
                request.clear()
                dispatcher.left(gate)
                return gate
            }
            if !dispatcher.putAside(
                request, connection, gate, isReplaying: workspace.isReplaying)
            {
                answerHastily(request, &buffer, workspace)
            }
            request.clear()
            return gate
        }
        request.clear()
        return nil
    }

    /// Answers a request that has been put aside.
    ///
    /// - Returns: false if it is put off.
    func answerAside(
        _ request: PendingRequest, _ item: Dispatcher.Item, _ gate: RequestGate
    ) -> Bool {
        let workspace = Workspace.current
        var buffer = fuse_buf()
        buffer.mem = request.memory
        buffer.size = request.size
        workspace.isReplaying = item.isReplaying
        workspace.isSecondTry = item.isSecondTry
        let isDone = answer(request, &buffer, workspace, gate)
        workspace.isReplaying = false
        workspace.isSecondTry = false
        return isDone
    }

    /// - Parameter mayPutOff: the caller can put it aside.
    /// - Returns: false if it is put off.
    @inline(__always)
    private func answer(
        _ request: PendingRequest, _ buffer: inout fuse_buf, _ workspace: Workspace,
        _ gate: RequestGate? = nil, mayPutOff: Bool = true
    ) -> Bool {
        workspace.request = Suspects.key(request, connection)
        if !refused.isEmpty, refused.contains(workspace.request) {
            refuse(request, EIO)
            return true
        }
        workspace.gate = gate
        workspace.changes = gate?.changes ?? 0
        workspace.mayPutOff = gate != nil && mayPutOff
        workspace.isPutOff = false
        fuse_session_process_buf(handle, &buffer)
        workspace.gate = nil
        return !workspace.isPutOff
    }

    /// Answers a request of a container that has too many: with the size that the kernel knows,
    /// or by refusing it. Neither takes time.
    private func answerHastily(
        _ request: PendingRequest, _ buffer: inout fuse_buf, _ workspace: Workspace
    ) {
        counters.count(.hasty)
        guard request.operation == PendingRequest.getattr else {
            refuse(request, EAGAIN)
            return
        }
        workspace.isHasty = true
        _ = answer(request, &buffer, workspace)
        workspace.isHasty = false
    }

    private func refuse(_ request: PendingRequest, _ error: CInt) {
        let unique = request.rawUnique
        let answer: [UInt32] = [
            16, UInt32(bitPattern: -error), UInt32(truncatingIfNeeded: unique),
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
        willWait()
        let result = withExtendedLifetime(content) {
            fuse_lowlevel_notify_store(handle, node.raw, 0, &vector, FUSE_BUF_NO_SPLICE)
        }
        hasWaited()
        // ENOENT: the kernel does not remember the file.
        return result == 0 || result == -ENOENT
    }

    func waitsForPage(_ thread: pid_t) -> Bool { sleepsUninterruptibly(thread: thread) }

    func drop(_ node: NodeID) -> Bool {
        willWait()
        let result = fuse_lowlevel_notify_inval_inode(handle, node.raw, 0, 0)
        hasWaited()
        // ENOENT: the kernel has forgotten the file by itself.
        return result == 0 || result == -ENOENT
    }

    func willWait() {
        guard let workspace = Workspace.known, workspace.beginWaiting() else { return }
        if workspace.isHelper { dispatcher.helperWaits() }
    }

    func hasWaited() {
        guard let workspace = Workspace.known, workspace.endWaiting() else { return }
        if workspace.isHelper { dispatcher.helperGoesOn() }
    }

    func sizeHasChanged() {
        if let gate = Workspace.known?.gate { dispatcher.goOn(gate) }
    }
}
