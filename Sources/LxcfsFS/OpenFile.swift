import CFuse3
import Glibc
import Syscalls

/// An open file that shows one moment: its content is made when it is opened, and again when
/// a reader goes back to its start.
final class OpenFile: @unchecked Sendable {
    let node: NodeID
    /// Whose numbers it shows, see ``Container/identity``.
    let identity: UInt64
    /// nil for a file that an earlier worker has opened.
    private var container: Container?
    private let lock = Lock()
    private(set) var snapshot: Snapshot
    private var begun = false
    private var trigger: PressureTrigger?

    init(
        _ container: Container, _ node: NodeID, _ host: Host, _ worker: Worker
    ) throws(SystemError) {
        self.container = container
        self.node = node
        identity = container.identity
        snapshot = try container.snapshot(of: node, host, worker)
    }

    /// A file that an earlier worker has opened.
    init(_ node: NodeID, _ snapshot: Snapshot, identity: UInt64, begun: Bool) {
        self.node = node
        self.snapshot = snapshot
        self.identity = identity
        self.begun = begun
    }

    /// Of a pressure file that is open for writing, as far as this worker knows it.
    var pressureTrigger: PressureTrigger? {
        get { lock.withLock { trigger } }
        set { lock.withLock { trigger = newValue } }
    }

    /// The content for a read at `offset`.
    ///
    /// - Parameters:
    ///   - files: keeps what the next worker has to know.
    ///   - find: the container, should it not be known.
    func content(
        at offset: Int, _ handle: UInt64, _ files: OpenFiles, _ host: Host, _ worker: Worker,
        find: () throws(SystemError) -> Container
    ) throws(SystemError) -> Snapshot {
        lock.lock()
        defer { lock.unlock() }
        if offset == 0, begun, !worker.isReplaying || !files.isFor(worker.request, handle) {
            if container == nil {
                // Who reads may be somebody else than who has opened: then the content stays.
                guard let found = try? find(), found.identity == identity else {
                    return snapshot
                }
                container = found
            }
            if let container {
                snapshot = try container.snapshot(of: node, host, worker)
                files.replace(handle, snapshot, for: worker.request)
            }
        }
        if !begun { files.noteBegun(handle, by: worker.request) }
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
        try host.withDescriptors { () throws(SystemError) in try render(node, host, worker) }
        return Snapshot(worker.out.bytes, time: time)
    }
}

/// Serving a snapshot per open: always fresh, not cached by the kernel.
extension Tree {
    func openSnapshot(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        counters.count(.open)
        let writing = file.pointee.flags & O_ACCMODE != O_RDONLY
        do {
            let worker = Worker.current
            let container = try container(of: node, caller: callerPID(request), worker)
            let opened = try OpenFile(container, node, host, worker)
            if writing {
                opened.pressureTrigger = try trigger(
                    node, container, caller: callerPID(request), worker)
            }
            let handle = openFiles.add(opened, opener: worker.request)
            file.pointee.fh = handle
            file.pointee.direct_io = 1
            // The opener has been interrupted: there will be no release. What the kernel has
            // sent again may have been answered before.
            if fuse_reply_open(request, file) == -ENOENT, !worker.isReplaying {
                openFiles.remove(handle)
            }
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func readSnapshot(
        _ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int,
        _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        counters.count(.read)
        // Only read(2) and its kin name a lock owner. Without one, sendfile(2) or mmap(2)
        // wants pages for the cache that all readers share; whoever gets EINVAL falls back
        // to read(2).
        guard file.pointee.lock_owner != 0 else {
            fuse_reply_err(request, EINVAL)
            return
        }
        do {
            let worker = Worker.current
            let handle = file.pointee.fh
            let caller = callerPID(request)
            let opened: OpenFile
            if let known = openFiles.file(handle) {
                opened = known
            } else {
                let container = try container(of: node, caller: caller, worker)
                opened = try OpenFile(container, node, host, worker)
                openFiles.adopt(opened, as: handle)
            }
            let content = try opened.content(at: offset, handle, openFiles, host, worker) {
                () throws(SystemError) in
                try container(of: node, caller: caller, worker)
            }
            reply(request, content, size: size, offset: offset)
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func releaseSnapshot(
        _ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        counters.count(.release)
        openFiles.remove(file.pointee.fh)
        fuse_reply_err(request, 0)
    }
}
