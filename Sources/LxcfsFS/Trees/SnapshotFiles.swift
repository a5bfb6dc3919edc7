import CFuse3
import Glibc
import LxcfsHandover
import LxcfsPageCache
import Syscalls

/// Serves a snapshot for each open: always fresh, and the kernel caches no content. Pressure
/// files that are open for writing have the kernel's triggers.
struct SnapshotFiles: FileServer {
    let names: any Names
    let openFiles: OpenFiles
    /// nil on a connection whose files cannot be written.
    let watcher: PressureWatcher?

    private var host: Host { names.host }

    /// Not known before it is read, as in sysfs.
    func sizeForLookup(of node: NodeID) -> FileSize? { nil }

    func getattr(_ request: fuse_req_t, _ node: NodeID, _ attributes: stat) {
        var attributes = attributes
        fuse_reply_attr(request, &attributes, forever)
    }

    func open(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        let writing = file.pointee.flags & O_ACCMODE != O_RDONLY
        do throws(SystemError) {
            let workspace = Workspace.current
            let caller = callerPID(request)
            let container = try names.container(of: node, caller: caller, workspace)
            let reservation = try openFiles.reserve(
                for: try payer(of: request, container), hasTrigger: writing,
                opener: workspace.request)
            let opened: OpenFile
            do throws(SystemError) {
                opened = try OpenFile(
                    container, node, for: reservation.payer, openFiles.recent, host, workspace)
                if writing { opened.pressureTrigger = try trigger(node, container, caller) }
            } catch {
                openFiles.giveBack(reservation)
                throw error
            }
            let handle = try openFiles.add(opened, reservation, opener: workspace.request)
            file.pointee.fh = handle
            file.pointee.direct_io = 1
            // The opener has been interrupted: there will be no release. What the kernel has
            // sent again may have been answered before.
            if fuse_reply_open(request, file) == -ENOENT, !workspace.isReplaying {
                openFiles.remove(handle)
            }
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func read(
        _ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        guard let file else {
            fuse_reply_err(request, EBADF)
            return
        }
        // Only read(2) and its kin name a lock owner. Without one, sendfile(2) or mmap(2)
        // wants pages for the cache that all readers share; a reader who gets EINVAL falls
        // back to read(2).
        guard file.pointee.lock_owner != 0 else {
            fuse_reply_err(request, EINVAL)
            return
        }
        do {
            let workspace = Workspace.current
            let handle = file.pointee.fh
            let caller = callerPID(request)
            let opened: OpenFile
            if let known = openFiles.file(handle) {
                opened = known
            } else {
                let container = try names.container(of: node, caller: caller, workspace)
                let payer = try payer(of: request, container)
                opened = try OpenFile(
                    container, node, for: payer, openFiles.recent, host, workspace)
                // What a former worker has left may have been answered, and the file be closed:
                // then nobody would ever release it.
                if !workspace.isReplaying {
                    try openFiles.adopt(opened, as: handle, for: payer)
                }
            }
            let content = try opened.content(
                at: offset, handle, openFiles.table, workspace
            ) { () throws(SystemError) in
                try names.container(of: node, caller: caller, workspace)
            } remake: { container throws(SystemError) in
                let made = try openFiles.recent.content(
                    of: opened.node, opened.identity, for: opened.payer, now: host.now()
                ) { () throws(SystemError) in
                    try container.snapshot(of: opened.node, host, workspace)
                }
                try openFiles.replace(handle, made, for: workspace.request)
                return made
            }
            withExtendedLifetime(content) {
                reply(request, content.part(offset: offset, size: size))
            }
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func write(
        _ request: fuse_req_t, _ node: NodeID, _ text: UnsafeRawBufferPointer,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        guard let watcher else {
            fuse_reply_err(request, EACCES)
            return
        }
        guard let handle = file?.pointee.fh, let opened = openFiles.file(handle) else {
            fuse_reply_err(request, EBADF)
            return
        }
        do {
            // A file that an earlier worker has opened: its trigger has ended with that.
            if opened.pressureTrigger == nil {
                let workspace = Workspace.current
                let caller = callerPID(request)
                let container = try names.container(of: node, caller: caller, workspace)
                try openFiles.reserveTrigger(handle) { () throws(SystemError) in
                    try payer(of: request, container)
                }
                opened.pressureTrigger = try trigger(node, container, caller)
            }
            if let trigger = opened.pressureTrigger, try trigger.write(text) {
                try watcher.watch(trigger)
            }
            fuse_reply_write(request, text.count)
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    /// Who pays for what the caller opens in a container.
    private func payer(
        of request: fuse_req_t, _ container: Container
    ) throws(SystemError) -> Payer {
        if let registered = container.gate.payer { return registered }
        // Without a context nobody is known: as a thread that cannot be seen.
        guard let context = fuse_req_ctx(request)?.pointee else { return .stranger }
        return try host.withDescriptors { () throws(SystemError) in
            try names.callers.payer(ofCaller: context.pid, user: context.uid)
        }
    }

    private func trigger(
        _ node: NodeID, _ container: Container, _ caller: pid_t
    ) throws(SystemError) -> PressureTrigger {
        guard watcher != nil, let kind = FixedNode(rawValue: node.file)?.pressureKind else {
            throw SystemError("write to", "node \(node.raw)", errno: EACCES)
        }
        return try host.withDescriptors { () throws(SystemError) in
            try PressureTrigger.open(kind, container, caller: caller, host)
        }
    }

    func poll(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>?,
        _ handle: OpaquePointer?
    ) {
        guard watcher != nil else {
            neverAskAgain(request, handle)
            return
        }
        let opened = file.flatMap { openFiles.file($0.pointee.fh) }
        if let trigger = opened?.pressureTrigger {
            fuse_reply_poll(request, trigger.poll(handle))
            return
        }
        if let handle { fuse_pollhandle_destroy(handle) }
        let isPressure = FixedNode(rawValue: node.file)?.pressureKind != nil
        fuse_reply_poll(
            request, isPressure ? PressureTrigger.without : PressureTrigger.ready)
    }

    func release(_ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>) {
        openFiles.remove(file.pointee.fh)
        fuse_reply_err(request, 0)
    }
}

/// The thread that asks, as the daemon counts; 0 if the kernel does not say.
func callerPID(_ request: fuse_req_t) -> pid_t { fuse_req_ctx(request)?.pointee.pid ?? 0 }
