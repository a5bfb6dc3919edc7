import CFuse3
import Glibc
import LxcfsHandover
import LxcfsPageCache
import Syscalls

/// Serves the files of registered containers from the kernel's page cache.
///
/// Opening never reaches the daemon: the kernel is told once that it need not ask. Nothing that
/// needs an open file to mean anything can be served so.
struct PageCacheFiles: FileServer {
    let names: ContainerNames
    let cache: PageCache

    func sizeForLookup(of node: NodeID) -> FileSize? {
        names.registry.container(slot: node.slot)
            .map { cache.sizeForLookup(of: node, in: $0.cached) }
    }

    func getattr(_ request: fuse_req_t, _ node: NodeID, _ attributes: stat) {
        do {
            let container = try names.container(slot: node.slot)
            if Workspace.current.isHasty {
                var attributes = attributes
                attributes.set(cache.sizeMeanwhile(of: node, in: container.cached))
                fuse_reply_attr(request, &attributes, 0)
                return
            }
            try cache.size(of: node, in: container.cached) { () throws(SystemError) in
                try container.snapshot(of: node, names.host, .current)
            } tell: { size, lasts in
                var attributes = attributes
                attributes.set(size)
                fuse_reply_attr(request, &attributes, lasts ? names.window : 0)
            } later: { again in
                putOff(request, again: again)
            }
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func open(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        // From now on the kernel opens without asking.
        fuse_reply_err(request, ENOSYS)
    }

    func read(
        _ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        do {
            let container = try names.container(slot: node.slot)
            try cache.content(of: node, in: container.cached, offset: offset, size: size) {
                () throws(SystemError) in
                try container.snapshot(of: node, names.host, .current)
            } answer: { part in
                if let part {
                    reply(request, part)
                } else {
                    fuse_reply_err(request, EINVAL)
                }
            } later: { again in
                putOff(request, again: again)
            }
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    /// Leaves a request unanswered, to be taken up again.
    ///
    /// - Parameter again: even if it has been put off before.
    /// - Returns: false if it must be answered now.
    private func putOff(_ request: fuse_req_t, again: Bool) -> Bool {
        let workspace = Workspace.current
        guard workspace.mayPutOff, again || !workspace.isSecondTry else { return false }
        fuse_reply_none(request)
        workspace.isPutOff = true
        return true
    }

    func write(
        _ request: fuse_req_t, _ node: NodeID, _ text: UnsafeRawBufferPointer,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        fuse_reply_err(request, EACCES)
    }

    func poll(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>?,
        _ handle: OpaquePointer?
    ) {
        neverAskAgain(request, handle)
    }

    func release(_ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>) {
        fuse_reply_err(request, 0)
    }
}

/// Answers poll(2) for a connection whose files are always ready: the kernel does not ask again.
///
/// - Parameter handle: whom to wake; taken over.
func neverAskAgain(_ request: fuse_req_t, _ handle: OpaquePointer?) {
    if let handle { fuse_pollhandle_destroy(handle) }
    fuse_reply_err(request, ENOSYS)
}
