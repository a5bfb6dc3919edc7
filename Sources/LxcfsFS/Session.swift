import CFuse3
import Glibc
import Syscalls

/// One FUSE connection: its mount, and the threads that answer its requests.
final class Session: @unchecked Sendable {
    let handle: OpaquePointer
    let mountPoint: String
    private let tree: Tree

    /// - Parameter options: mount options beside those that are always set.
    init(_ tree: Tree, at mountPoint: String, options: [String]) throws(SystemError) {
        self.tree = tree
        self.mountPoint = mountPoint
        // Everybody may read, and the kernel checks the permission bits.
        let all = ["allow_other", "default_permissions", "nosuid", "nodev", "noexec"] + options
        guard let session = makeSession(tree, all.joined(separator: ",")) else {
            throw SystemError("make a FUSE session for", mountPoint, errno: EINVAL)
        }
        handle = session
        errno = 0
        if fuse_session_mount(session, mountPoint) != 0 {
            let code = errno
            fuse_session_destroy(session)
            throw SystemError("mount on", mountPoint, errno: code == 0 ? EIO : code)
        }
    }

    /// Starts `count` threads that answer requests until the connection ends.
    func start(threads count: Int, name: String) throws(SystemError) {
        for _ in 0..<count {
            try startThread(name) { [self] in answerRequests() }
        }
    }

    private func answerRequests() {
        var buffer = fuse_buf()
        defer { free(buffer.mem) }
        while fuse_session_exited(handle) == 0 {
            let size = fuse_session_receive_buf(handle, &buffer)
            if size == -EINTR { continue }
            // 0: unmounted. An error: the connection has been aborted.
            if size <= 0 { break }
            fuse_session_process_buf(handle, &buffer)
        }
    }
}

/// Runs `body` on a new, detached thread with all signals blocked: signals are for the main
/// thread.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 512 << 10)
    let start = Unmanaged.passRetained(Start(name, body))
    var blocked = sigset_t()
    var former = sigset_t()
    sigfillset(&blocked)
    pthread_sigmask(SIG_SETMASK, &blocked, &former)
    let result = pthread_create(
        &thread, &attributes,
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            pthread_setname_np(pthread_self(), start.name)
            start.body()
            return nil
        }, start.toOpaque())
    pthread_sigmask(SIG_SETMASK, &former, nil)
    if result != 0 {
        start.release()
        throw SystemError("start thread", name, errno: result)
    }
}

// MARK: - The C side
//
// Global functions, not closures: a closure written where the main actor is current is
// taken to belong to it, and traps when libfuse calls it on a thread of its own.

private func makeSession(_ tree: Tree, _ options: String) -> OpaquePointer? {
    var operations = fuse_lowlevel_ops()
    operations.`init` = fuseInit
    operations.lookup = fuseLookup
    operations.getattr = fuseGetattr
    operations.readlink = fuseReadlink
    operations.open = fuseOpen
    operations.read = fuseRead
    operations.release = fuseRelease
    operations.readdir = fuseReaddir
    // No `flush`: answered with ENOSYS once by libfuse, it is never sent again.

    let words = ["lxcfsd", "-o", options]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    defer { for argument in arguments { free(argument) } }
    return arguments.withUnsafeMutableBufferPointer { buffer in
        var list = fuse_args(argc: CInt(buffer.count), argv: buffer.baseAddress, allocated: 0)
        defer { fuse_opt_free_args(&list) }
        // The session lives as long as the process, and so does its tree.
        return fuse_session_new(
            &list, &operations, MemoryLayout<fuse_lowlevel_ops>.size,
            Unmanaged.passRetained(tree).toOpaque())
    }
}

private func tree(_ request: fuse_req_t?) -> Tree {
    guard let data = fuse_req_userdata(request) else {
        preconditionFailure("a FUSE request without its session")
    }
    return Unmanaged<Tree>.fromOpaque(data).takeUnretainedValue()
}

private func fuseInit(
    _ userdata: UnsafeMutableRawPointer?, _ connection: UnsafeMutablePointer<fuse_conn_info>?
) {
    guard let connection else { return }
    // Asking for attributes before each read bounds how old content can be; the content
    // itself is only dropped when size or generation change (see ContainerTree).
    connection.pointee.want |= connection.pointee.capable & UInt32(FUSE_CAP_AUTO_INVAL_DATA)
    // Attributes of files in a listing would make content for nobody.
    connection.pointee.want &= ~UInt32(FUSE_CAP_READDIRPLUS)
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
