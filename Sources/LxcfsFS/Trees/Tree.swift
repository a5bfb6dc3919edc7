import CFuse3
import Glibc
import LxcfsHandover
import Syscalls

/// What one FUSE connection serves: names, and the content of files. It answers every request
/// of the connection, those about content by way of its ``FileServer``.
final class Tree: Sendable {
    private let names: any Names
    private let files: any FileServer
    let counters: RequestCounters
    /// Shown as modification time of everything that does not say otherwise; in seconds
    /// since 1970.
    private let startedAt: Int

    init(
        names: any Names, files: any FileServer, counters: RequestCounters, startedAt: Int
    ) {
        self.names = names
        self.files = files
        self.counters = counters
        self.startedAt = startedAt
    }

    // MARK: - Names

    func lookup(_ request: fuse_req_t, parent: NodeID, name: UnsafePointer<CChar>) {
        counters.count(.lookup)
        do {
            let found = try names.entry(
                of: parent, named: String(cString: name), caller: callerPID(request), .current)
            guard let found else {
                fuse_reply_err(request, ENOENT)
                return
            }
            var entry = fuse_entry_param()
            entry.ino = found.node.raw
            entry.entry_timeout = names.timeout(of: found)
            entry.attr = stat(found.node, found.kind, time: startedAt)
            if case .file = found.kind {
                if let size = files.sizeForLookup(of: found.node) { entry.attr.set(size) }
                // The kernel asks for the size of a file when it is read, not before.
                entry.attr_timeout = 0
            } else {
                entry.attr_timeout = forever
            }
            fuse_reply_entry(request, &entry)
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    func getattr(_ request: fuse_req_t, _ node: NodeID) {
        counters.count(.getattr)
        guard let kind = names.kind(of: node) else {
            fuse_reply_err(request, ENOENT)
            return
        }
        var attributes = stat(node, kind, time: startedAt)
        if case .file = kind {
            files.getattr(request, node, attributes)
        } else {
            fuse_reply_attr(request, &attributes, forever)
        }
    }

    func readlink(_ request: fuse_req_t, _ node: NodeID) {
        counters.count(.readlink)
        guard case .link(let target)? = names.kind(of: node) else {
            fuse_reply_err(request, EINVAL)
            return
        }
        fuse_reply_readlink(request, target)
    }

    func readdir(_ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int) {
        counters.count(.readdir)
        do {
            let entries = try names.entries(of: node, caller: callerPID(request), .current)
            let list =
                [(".", node, NodeKind.directory), ("..", node, NodeKind.directory)]
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

    // MARK: - Content

    /// The handle of a file that has no content, see ``HeldFiles``. No open file has it
    /// (docs/handover.md).
    private static let held = UInt64.max

    func open(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        counters.count(.open)
        if HeldFiles.isWish(file.pointee.flags),
            names.callers.isAdministrator(callerPID(request))
        {
            // It is not going to be read.
            file.pointee.fh = Self.held
            fuse_reply_open(request, file)
            return
        }
        files.open(request, node, file)
    }

    func read(
        _ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        counters.count(.read)
        if file?.pointee.fh == Self.held {
            fuse_reply_err(request, EBADF)
            return
        }
        files.read(request, node, size: size, offset: offset, file)
    }

    func write(
        _ request: fuse_req_t, _ node: NodeID, _ text: UnsafeRawBufferPointer,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        counters.count(.write)
        if file?.pointee.fh == Self.held {
            fuse_reply_err(request, EBADF)
            return
        }
        files.write(request, node, text, file)
    }

    /// - Parameter handle: whom to wake; taken over.
    func poll(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>?,
        _ handle: OpaquePointer?
    ) {
        counters.count(.poll)
        files.poll(request, node, file, handle)
    }

    func release(_ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>) {
        counters.count(.release)
        files.release(request, file)
    }
}
