import CLinux
import Glibc
import Synchronization

extension Aide {
    /// Starts it. Only in a process without other threads.
    ///
    /// - Parameters:
    ///   - proc: a procfs of our pid namespace.
    ///   - confine: called in the new process, to give up what it does not need.
    public static func start(
        _ proc: borrowing FileDescriptor, confine: () throws -> Void
    ) throws(SystemError) {
        let (ours, theirs) = try MessageSocket.pair()
        let parent = getpid()
        let pid = clinux_fork()
        if pid == 0 { AideServer.run(proc.raw, theirs, parent, confine) }
        close(theirs)
        if pid < 0 { close(ours) }
        _ = try check(pid, "start an", "aide")
        attach(ours)
    }
}

/// The other side of ``Aide``, in the process that has the rights.
///
/// Whatever arrives here may be sent by somebody who has taken over the worker: nothing in a request
/// is a path, and no answer depends on what was asked before.
struct AideServer {
    /// A procfs.
    let proc: CInt

    /// Threads, each for one channel.
    private static let mostChannels = 512
    private static let channels = Atomic<Int>(0)

    /// Serves until the worker is gone.
    ///
    /// - Parameters:
    ///   - proc: a procfs.
    ///   - channel: the worker's first one.
    ///   - worker: the process that it is for.
    static func run(
        _ proc: CInt, _ channel: CInt, _ worker: pid_t, _ confine: () throws -> Void
    ) -> Never {
        do {
            try ChildProcess.dieWithParent()
            // It may have died before that.
            if getppid() != worker { _exit(0) }
            // Nothing else that the worker has open is to stay open here.
            let above = max(proc, channel) + 1
            let kept = [
                fcntl(proc, F_DUPFD_CLOEXEC, above), fcntl(channel, F_DUPFD_CLOEXEC, above),
            ]
            let first = STDERR_FILENO + 1
            for (index, number) in kept.enumerated() {
                _ = try attempting("keep", "descriptor \(number)") {
                    dup3(number, first + CInt(index), O_CLOEXEC)
                }
            }
            _ = try check(
                clinux_close_from(first + CInt(kept.count)), "close", "descriptors")
            try ChildProcess.setName("lxcfsd-aide")
            try confine()
            AideServer(proc: first).serve(first + 1)
        } catch {
            LogOutput.write("lxcfsd: aide: \(error)\n")
            _exit(1)
        }
        _exit(0)
    }

    /// Answers requests on a channel until its end.
    func serve(_ channel: CInt) {
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: AideRequest.sizeLimit, alignment: 8)
        defer { room.deallocate() }
        var counted = Clock.thread()
        while true {
            var file: CInt = -1
            var count = 0
            let size = clinux_receive(channel, room.baseAddress, room.count, &file, 1, &count)
            if size == -Int(EINTR) { continue }
            guard size > 0 else { return }
            let came = count > 0 ? FileDescriptor(owning: file) : nil
            var reply = AideReply()
            var result: FileDescriptor?
            do throws(SystemError) {
                guard size >= MemoryLayout<AideRequest>.size else {
                    throw SystemError("understand", "a request", errno: EBADMSG)
                }
                let request = room.load(as: AideRequest.self)
                let rest = UnsafeRawBufferPointer(
                    rebasing: room[MemoryLayout<AideRequest>.size..<size])
                result = try answer(request, rest, came, &reply)
            } catch {
                reply.error = error.errno
            }
            // Since the last one was about to be sent: receiving and sending count, too.
            let work = Clock.thread()
            reply.work = UInt32(clamping: work - counted)
            counted = work
            var sent = result?.raw ?? -1
            let done = clinux_send(
                channel, &reply, MemoryLayout<AideReply>.size, &sent, sent >= 0 ? 1 : 0, nil, 0,
                0)
            guard done >= 0 else { return }
        }
    }

    private func answer(
        _ request: AideRequest, _ rest: UnsafeRawBufferPointer,
        _ came: borrowing FileDescriptor?, _ reply: inout AideReply
    ) throws(SystemError) -> FileDescriptor? {
        guard let operation = AideRequest.Operation(rawValue: request.operation) else {
            throw SystemError("understand", "a request", errno: EBADMSG)
        }
        switch operation {
        case .channel:
            return try makeChannel()
        case .namespace:
            guard let kind = NamespaceKind(rawValue: request.detail) else {
                throw SystemError("understand", "a kind of namespace", errno: EINVAL)
            }
            reply.value = try withProc { proc throws(SystemError) in
                try NamespaceID.look(kind, at: "\(request.tid)", proc).inode
            }
            return nil
        case .pidNamespace:
            return try withProc { proc throws(SystemError) in
                try proc.open(at: "\(request.tid)/ns/\(NamespaceKind.process.fileName)")
            }
        case .write:
            try withProc { proc throws(SystemError) in
                try WaitingCaller.write(rest, to: request.tid, at: request.address, proc)
            }
            return nil
        case .pressureOfHost:
            let name = try Self.name(request, PressureFile.ofHost)
            return try withProc { proc throws(SystemError) in
                try PressureFile.open(
                    "pressure/" + name, in: proc, privileged: request.isPrivileged != 0)
            }
        case .pressureOfCgroup:
            return try Self.openOfCgroup(request, came)
        }
    }

    /// Lends the procfs, which stays open.
    private func withProc<Result>(
        _ body: (borrowing FileDescriptor) throws(SystemError) -> Result
    ) throws(SystemError) -> Result where Result: ~Copyable {
        let borrowed = FileDescriptor(owning: proc)
        let result: Result
        do {
            result = try body(borrowed)
        } catch {
            _ = borrowed.release()
            throw error
        }
        _ = borrowed.release()
        return result
    }

    private static func name(
        _ request: AideRequest, _ names: [String]
    ) throws(SystemError) -> String {
        guard Int(request.detail) < names.count else {
            throw SystemError("find", "a pressure file", errno: ENOENT)
        }
        return names[Int(request.detail)]
    }

    private static func openOfCgroup(
        _ request: AideRequest, _ came: borrowing FileDescriptor?
    ) throws(SystemError) -> FileDescriptor {
        let name = try name(request, PressureFile.ofCgroup)
        switch came {
        case nil:
            throw SystemError("open", name, errno: EBADF)
        case let directory?:
            guard try FilesystemKind.of(directory, path: name) == .cgroup2 else {
                throw SystemError("open", name, errno: EACCES)
            }
            return try PressureFile.open(
                name, in: directory, privileged: request.isPrivileged != 0)
        }
    }

    private func makeChannel() throws(SystemError) -> FileDescriptor {
        guard Self.channels.add(1, ordering: .relaxed).newValue <= Self.mostChannels else {
            Self.channels.subtract(1, ordering: .relaxed)
            throw SystemError("make another", "channel", errno: EMFILE)
        }
        let (ours, theirs) = try MessageSocket.pair()
        let server = self
        try startThread("aide") {
            server.serve(ours)
            close(ours)
            Self.channels.subtract(1, ordering: .relaxed)
        }
        return FileDescriptor(owning: theirs)
    }
}
