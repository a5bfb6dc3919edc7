import CFuse3
import Glibc
import KernelText
import LxcfsHandover
import Syscalls

/// Serving a snapshot per open: always fresh, not cached by the kernel.
extension Tree {
    func openSnapshot(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        counters.count(.open)
        let writing = file.pointee.flags & O_ACCMODE != O_RDONLY
        do {
            let workspace = Workspace.current
            let container = try container(of: node, caller: callerPID(request), workspace)
            let opened = try OpenFile(container, node, host, workspace)
            if writing {
                opened.pressureTrigger = try trigger(
                    node, container, caller: callerPID(request), workspace)
            }
            let handle = openFiles.add(opened, opener: workspace.request)
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
            let workspace = Workspace.current
            let handle = file.pointee.fh
            let caller = callerPID(request)
            let opened: OpenFile
            if let known = openFiles.file(handle) {
                opened = known
            } else {
                let container = try container(of: node, caller: caller, workspace)
                opened = try OpenFile(container, node, host, workspace)
                openFiles.adopt(opened, as: handle)
            }
            let content = try opened.content(at: offset, handle, openFiles, host, workspace) {
                () throws(SystemError) in
                try container(of: node, caller: caller, workspace)
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
