import CLinux
import Glibc
import Synchronization

/// A small process that does for a worker what needs a right to look into other processes, or to
/// write.
///
/// A worker takes in what containers send. Taken over, it would do with CAP_SYS_PTRACE what it
/// likes to the memory of all processes of the host. So it has no capability at all, and asks its
/// aide for the few things that it needs, none of which can do harm whoever asks:
///
/// - the identity of a thread's namespaces, and its pid namespace;
/// - writing the answer to a system call to where a thread that waits in that call has asked for it
///   (see `clinux_waits_for`);
/// - pressure files, for triggers.
///
/// The aide is started by the worker, before that gives up what the aide needs, and ends with it.
public enum Aide {
    private static let state = Guarded(Channels())
    private static let started = Atomic<Bool>(false)

    private struct Channels {
        /// The first one; for making others.
        var first: CInt = -1
        var idle: [CInt] = []
    }

    /// Whether this process has one. Otherwise it does these things itself.
    public static var isThere: Bool { started.load(ordering: .acquiring) }

    /// What is asked from now on goes there.
    ///
    /// - Parameter channel: the first one; taken over.
    static func attach(_ channel: CInt) {
        state.withLock { $0.first = channel }
        started.store(true, ordering: .releasing)
    }

    // MARK: - What it does

    /// The inode of a namespace.
    ///
    /// - Parameter name: of the file in `/proc/<tid>/ns`.
    static func namespace(
        of tid: Int32, _ kind: UInt32, _ name: String
    ) throws(SystemError) -> UInt64 {
        var request = AideRequest(.namespace)
        request.tid = tid
        request.detail = kind
        return try ask(request, nothing, "find the namespace", "/proc/\(tid)/ns/\(name)").value
    }

    static func pidNamespace(of tid: Int32) throws(SystemError) -> FileDescriptor {
        var request = AideRequest(.pidNamespace)
        request.tid = tid
        return try askForFile(request, "/proc/\(tid)/ns/pid")
    }

    /// Writes the answer to a call into the caller's memory.
    ///
    /// - Parameters:
    ///   - tid: a thread that waits in sysinfo(2) or sched_getaffinity(2).
    ///   - address: where it wants to have the answer.
    ///   - proc: a procfs, for a process without an aide.
    /// - Returns: false if it does not wait there, has not asked for so many bytes at that
    ///   address, or may not write there itself.
    public static func write(
        _ bytes: UnsafeRawBufferPointer, toCaller tid: Int32, at address: UInt64,
        _ proc: borrowing FileDescriptor
    ) throws(SystemError) -> Bool {
        do {
            if isThere {
                var request = AideRequest(.write)
                request.tid = tid
                request.address = address
                _ = try ask(request, bytes, "write to the memory of thread", "\(tid)")
            } else {
                try WaitingCaller.write(bytes, to: tid, at: address, proc)
            }
            return true
        } catch let error where error.errno == EFAULT || error.errno == EACCES {
            return false
        }
    }

    /// - Parameters:
    ///   - directory: of the cgroup; nil for the host's.
    ///   - index: which one of those that there are.
    static func pressureFile(
        _ name: String, _ index: Int?, ofCgroup directory: CInt?, privileged: Bool
    ) throws(SystemError) -> FileDescriptor {
        guard let index else { throw SystemError("open", name, errno: ENOENT) }
        var request = AideRequest(directory == nil ? .pressureOfHost : .pressureOfCgroup)
        request.detail = UInt32(index)
        request.isPrivileged = privileged ? 1 : 0
        return try askForFile(request, name, sending: directory ?? -1)
    }

    // MARK: - Asking

    static var nothing: UnsafeRawBufferPointer { .init(start: nil, count: 0) }

    private static func askForFile(
        _ request: AideRequest, _ path: @autoclosure () -> String, sending file: CInt = -1
    ) throws(SystemError) -> FileDescriptor {
        let answer = try ask(request, nothing, sending: file, "open", path())
        guard answer.file >= 0 else { throw SystemError("open", path(), errno: EPROTO) }
        return FileDescriptor(owning: answer.file)
    }

    /// Asks, on a channel that no other thread uses meanwhile.
    ///
    /// - Returns: the reply's value, and a descriptor that the caller has to own, or -1.
    private static func ask(
        _ request: AideRequest, _ bytes: UnsafeRawBufferPointer, sending file: CInt = -1,
        _ operation: @autoclosure () -> String,
        _ path: @autoclosure () -> String
    ) throws(SystemError) -> (value: UInt64, file: CInt) {
        let channel = try takeChannel()
        defer { state.withLock { $0.idle.append(channel) } }
        let (reply, came) = try exchange(channel, request, bytes, file)
        guard reply.error != 0 else { return (reply.value, came) }
        if came >= 0 { close(came) }
        throw SystemError(operation(), path(), errno: reply.error)
    }

    /// An idle channel, or a new one: there are never more than there are threads.
    private static func takeChannel() throws(SystemError) -> CInt {
        try state.withLock { state throws(SystemError) in
            if let idle = state.idle.popLast() { return idle }
            let (reply, file) = try exchange(state.first, AideRequest(.channel), nothing, -1)
            guard reply.error == 0, file >= 0 else {
                throw SystemError(
                    "get another", "channel", errno: reply.error == 0 ? EPROTO : reply.error)
            }
            return file
        }
    }

    static func exchange(
        _ channel: CInt, _ request: AideRequest, _ bytes: UnsafeRawBufferPointer, _ file: CInt
    ) throws(SystemError) -> (AideReply, CInt) {
        let head = MemoryLayout<AideRequest>.size
        guard head + bytes.count <= AideRequest.sizeLimit else {
            throw SystemError("ask", "the aide", errno: EMSGSIZE)
        }
        let sent = withUnsafeTemporaryAllocation(byteCount: AideRequest.sizeLimit, alignment: 8)
        { message in
            message.storeBytes(of: request, as: AideRequest.self)
            UnsafeMutableRawBufferPointer(rebasing: message[head...]).copyMemory(from: bytes)
            var file = file
            return clinux_send(
                channel, message.baseAddress, head + bytes.count, &file, file >= 0 ? 1 : 0, nil,
                0, 0)
        }
        var reply = AideReply()
        var came: CInt = -1
        var count = 0
        var received = 0
        if sent >= 0 {
            repeat {
                received = clinux_receive(
                    channel, &reply, MemoryLayout<AideReply>.size, &came, 1, &count)
            } while received == -Int(EINTR)
        }
        guard received == MemoryLayout<AideReply>.size else { endWithoutAide() }
        clinux_add_lent_time(UInt64(reply.work))
        return (reply, count > 0 ? came : -1)
    }

    /// Another worker, with an aide, can go on.
    private static func endWithoutAide() -> Never {
        LogOutput.write("lxcfsd: a worker ends, because its aide has ended\n")
        _exit(1)
    }
}
