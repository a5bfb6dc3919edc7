import CFuse3
import Glibc
import LxcfsHandover

//
// Global functions, not closures: a closure written where the main actor is current is
// taken to belong to it, and traps when libfuse calls it on a thread of its own.

/// What libfuse hands to every callback of a session.
final class RequestTarget: @unchecked Sendable {
    /// Set once, before the first thread that answers requests is started.
    var tree: Tree?
}

func makeSession(_ target: RequestTarget) -> OpaquePointer? {
    var operations = fuse_lowlevel_ops()
    operations.`init` = fuseInit
    operations.lookup = fuseLookup
    operations.getattr = fuseGetattr
    operations.readlink = fuseReadlink
    operations.open = fuseOpen
    operations.read = fuseRead
    operations.write = fuseWrite
    operations.poll = fusePoll
    operations.release = fuseRelease
    operations.readdir = fuseReaddir
    // No `flush`: answered with ENOSYS once by libfuse, it is never sent again.

    let words = ["lxcfsd"]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    defer { for argument in arguments { free(argument) } }
    return arguments.withUnsafeMutableBufferPointer { buffer in
        var list = fuse_args(argc: CInt(buffer.count), argv: buffer.baseAddress, allocated: 0)
        defer { fuse_opt_free_args(&list) }
        // The session lives as long as the process, and so does its target.
        return fuse_session_new(
            &list, &operations, MemoryLayout<fuse_lowlevel_ops>.size,
            Unmanaged.passRetained(target).toOpaque())
    }
}

private func tree(_ request: fuse_req_t?) -> Tree {
    guard let data = fuse_req_userdata(request),
        let tree = Unmanaged<RequestTarget>.fromOpaque(data).takeUnretainedValue().tree
    else { preconditionFailure("a FUSE request before its session has a tree") }
    return tree
}

private func fuseInit(
    _ userdata: UnsafeMutableRawPointer?, _ connection: UnsafeMutablePointer<fuse_conn_info>?
) {
    guard let connection else { return }
    // Asking for attributes before each read bounds how old content can be; the content
    // itself is only dropped when size or generation change (see FileSize).
    connection.pointee.want |= connection.pointee.capable & UInt32(FUSE_CAP_AUTO_INVAL_DATA)
    // Attributes of files in a listing would make content for nobody.
    connection.pointee.want &= ~UInt32(FUSE_CAP_READDIRPLUS)
    // Bounds the room that requests need (PendingRequest.room).
    connection.pointee.max_write = min(connection.pointee.max_write, 1 << 20)
}

private func fuseLookup(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?
) {
    guard let request, let name else { return }
    tree(request).lookup(request, parent: NodeID(raw: UInt64(parent)), name: name)
}

private func fuseGetattr(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request else { return }
    tree(request).getattr(request, NodeID(raw: UInt64(node)))
}

private func fuseReadlink(_ request: fuse_req_t?, _ node: fuse_ino_t) {
    guard let request else { return }
    tree(request).readlink(request, NodeID(raw: UInt64(node)))
}

private func fuseOpen(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request, let file else { return }
    tree(request).open(request, NodeID(raw: UInt64(node)), file)
}

private func fuseRead(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request else { return }
    tree(request).read(request, NodeID(raw: UInt64(node)), size: size, offset: offset, file)
}

private func fuseWrite(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ text: UnsafePointer<CChar>?, _ size: Int,
    _ offset: off_t, _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request else { return }
    tree(request).write(
        request, NodeID(raw: UInt64(node)), UnsafeRawBufferPointer(start: text, count: size),
        file)
}

private func fusePoll(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?,
    _ handle: OpaquePointer?
) {
    guard let request else { return }
    tree(request).poll(request, NodeID(raw: UInt64(node)), file, handle)
}

private func fuseRelease(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request, let file else { return }
    tree(request).release(request, file)
}

private func fuseReaddir(
    _ request: fuse_req_t?, _ node: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request else { return }
    tree(request).readdir(request, NodeID(raw: UInt64(node)), size: size, offset: offset)
}
