import CFuse3
import Glibc
import Syscalls

/// An open file that shows one moment: its content is made when it is opened, and again when
/// a reader goes back to its start.
final class OpenFile: @unchecked Sendable {
    let container: Container
    let node: NodeID
    private let lock = Lock()
    private var snapshot: Snapshot
    private var begun = false

    init(
        _ container: Container, _ node: NodeID, _ host: Host, _ worker: Worker
    ) throws(SystemError) {
        self.container = container
        self.node = node
        snapshot = try container.snapshot(of: node, host, worker)
    }

    /// The content for a read at `offset`.
    func content(at offset: Int, _ host: Host, _ worker: Worker) throws(SystemError) -> Snapshot
    {
        lock.lock()
        defer { lock.unlock() }
        if offset == 0, begun { snapshot = try container.snapshot(of: node, host, worker) }
        begun = true
        return snapshot
    }
}

extension Container {
    /// The content of a file at this moment.
    func snapshot(
        of node: NodeID, _ host: Host, _ worker: Worker
    ) throws(SystemError) -> Snapshot {
        let time = host.now()
        // Between the end of `render` and this copy nothing else uses the thread's buffer.
        try render(node, host, worker)
        return Snapshot(worker.out.bytes, time: time)
    }
}

/// Serving a snapshot per open: always fresh, not cached by the kernel.
extension Tree {
    func openSnapshot(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        counters.count(.open)
        if file.pointee.flags & O_ACCMODE != O_RDONLY {
            fuse_reply_err(request, EACCES)
            return
        }
        do {
            let worker = Worker.current
            let container = try container(of: node, caller: callerPID(request), worker)
            let opened = try OpenFile(container, node, host, worker)
            let handle = Unmanaged.passRetained(opened)
            file.pointee.fh = UInt64(UInt(bitPattern: handle.toOpaque()))
            file.pointee.direct_io = 1
            // The opener has been interrupted: there will be no release.
            if fuse_reply_open(request, file) == -ENOENT { handle.release() }
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func readSnapshot(
        _ request: fuse_req_t, size: Int, offset: Int,
        _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        counters.count(.read)
        guard let opened = openFile(file) else {
            fuse_reply_err(request, EBADF)
            return
        }
        // Only read(2) and its kin name a lock owner. Without one, sendfile(2) or mmap(2)
        // wants pages for the cache that all readers share; whoever gets EINVAL falls back
        // to read(2).
        guard file.pointee.lock_owner != 0 else {
            fuse_reply_err(request, EINVAL)
            return
        }
        do {
            let content = try opened.takeUnretainedValue().content(
                at: offset, host, Worker.current)
            reply(request, content, size: size, offset: offset)
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func releaseSnapshot(
        _ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        counters.count(.release)
        openFile(file)?.release()
        fuse_reply_err(request, 0)
    }

    private func openFile(
        _ file: UnsafeMutablePointer<fuse_file_info>
    ) -> Unmanaged<OpenFile>? {
        UnsafeRawPointer(bitPattern: UInt(file.pointee.fh)).map(Unmanaged.fromOpaque)
    }
}
