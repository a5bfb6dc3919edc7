import CFuse3
import Glibc
import KernelText
import LxcfsHandover
import Syscalls

/// The requests that both kinds of connection answer alike.
extension Tree {
    func lookup(_ request: fuse_req_t, parent: NodeID, name: UnsafePointer<CChar>) {
        counters.count(.lookup)
        do {
            let workspace = Workspace.current
            let found = try child(
                of: parent, named: String(cString: name), caller: callerPID(request), workspace)
            guard let found else {
                fuse_reply_err(request, ENOENT)
                return
            }
            var entry = fuse_entry_param()
            entry.ino = found.node.raw
            entry.entry_timeout = entryTimeout(found)
            // The kernel asks for the size of a file when it is read, not before.
            entry.attr = try attributesForLookup(found, workspace)
            entry.attr_timeout = if case .file = found.kind { 0 } else { Self.forever }
            fuse_reply_entry(request, &entry)
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func readlink(_ request: fuse_req_t, _ node: NodeID) {
        counters.count(.readlink)
        guard case .link(let target)? = kind(of: node) else {
            fuse_reply_err(request, EINVAL)
            return
        }
        fuse_reply_readlink(request, target)
    }

    func readdir(_ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int) {
        counters.count(.readdir)
        do {
            let entries = try children(of: node, caller: callerPID(request), Workspace.current)
            let list =
                [(".", node, Kind.directory), ("..", node, Kind.directory)]
                + entries.map { ($0.name, $0.node, $0.kind) }
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: size) { buffer in
                var used = 0
                for (index, item) in list.enumerated().dropFirst(max(offset, 0)) {
                    var attributes = stat()
                    attributes.st_ino = UInt(item.1.inode)
                    attributes.st_mode = item.2.type
                    let needed = fuse_add_direntry(
                        request, buffer.baseAddress.map { $0 + used }, size - used, item.0,
                        &attributes, off_t(index + 1))
                    if needed > size - used { break }
                    used += needed
                }
                _ = fuse_reply_buf(request, buffer.baseAddress, used)
            }
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func callerPID(_ request: fuse_req_t) -> pid_t {
        fuse_req_ctx(request)?.pointee.pid ?? 0
    }

    /// Answers a read with part of a snapshot.
    func reply(_ request: fuse_req_t, _ snapshot: Snapshot, size: Int, offset: Int) {
        let part = snapshot.part(offset: offset, size: size)
        part.withMemoryRebound(to: CChar.self) {
            _ = fuse_reply_buf(request, $0.baseAddress, $0.count)
        }
    }
}
