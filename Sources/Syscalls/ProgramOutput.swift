import Glibc

/// What another program writes to standard output; its input and standard error are /dev/null.
///
/// - Parameters:
///   - path: absolute.
///   - arguments: without argument zero.
///   - limit: more bytes than this fail with `EFBIG`.
///   - timeout: milliseconds, after which the program is killed (`ETIMEDOUT`).
/// - Throws: also `EPROTO` if it ends in another way than with the exit code 0.
public func programOutput(
    _ path: String, _ arguments: [String], limit: Int, timeout: CInt
) throws(SystemError) -> [UInt8] {
    var ends: (CInt, CInt) = (-1, -1)
    _ = try attempting("make a", "pipe") {
        withUnsafeMutableBytes(of: &ends) {
            pipe2($0.assumingMemoryBound(to: CInt.self).baseAddress, O_CLOEXEC)
        }
    }
    let output = FileDescriptor(owning: ends.0)
    let pid: pid_t
    do {
        let input = FileDescriptor(owning: ends.1)
        pid = try spawn(path, arguments, output: input.raw)
    }
    var isKilled = false
    defer {
        // Not after it has been reaped: the number may be somebody else's by then.
        if !isKilled { kill(pid, SIGKILL) }
        var status: CInt = 0
        if !isKilled { waitpid(pid, &status, 0) }
    }
    let deadline = Clock.monotonic() + UInt64(max(timeout, 0)) * 1_000_000
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let now = Clock.monotonic()
        guard now < deadline else { throw SystemError("run", path, errno: ETIMEDOUT) }
        var waiting = pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)
        let ready = poll(&waiting, 1, CInt((deadline - now) / 1_000_000) + 1)
        if ready == 0 || ready < 0 && errno == EINTR { continue }
        if ready < 0 { throw SystemError("wait for", path, errno: errno) }
        let count = try retrying("read the output of", path) {
            buffer.withUnsafeMutableBytes { read(output.raw, $0.baseAddress, $0.count) }
        }
        if count == 0 { break }
        content.append(contentsOf: buffer.prefix(count))
        if content.count > limit { throw SystemError("read the output of", path, errno: EFBIG) }
    }
    // Its output is closed; most programs end with that.
    var status: CInt = 0
    while true {
        let ended = waitpid(pid, &status, WNOHANG)
        if ended == pid { break }
        if ended < 0, errno != EINTR { throw SystemError("wait for", path, errno: errno) }
        guard Clock.monotonic() < deadline else {
            throw SystemError("run", path, errno: ETIMEDOUT)
        }
        usleep(1000)
    }
    isKilled = true
    guard status == 0 else { throw SystemError("run", path, errno: EPROTO) }
    return content
}

private func spawn(
    _ path: String, _ arguments: [String], output: CInt
) throws(SystemError) -> pid_t {
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    var all = sigset_t()
    sigfillset(&all)
    var pid: pid_t = 0
    var code = posix_spawn_file_actions_init(&actions)
    if code != 0 { throw SystemError("start", path, errno: code) }
    defer { posix_spawn_file_actions_destroy(&actions) }
    code = posix_spawnattr_init(&attributes)
    if code != 0 { throw SystemError("start", path, errno: code) }
    defer { posix_spawnattr_destroy(&attributes) }
    // A hook ignores SIGPIPE; the program is not to.
    code = posix_spawnattr_setsigdefault(&attributes, &all)
    if code == 0 {
        code = posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    }
    if code == 0 {
        code = posix_spawn_file_actions_addopen(
            &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    }
    if code == 0 {
        code = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    }
    if code == 0 {
        code = posix_spawn_file_actions_addopen(
            &actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    }
    if code == 0 { code = posix_spawn(&pid, path, &actions, &attributes, words, environ) }
    if code != 0 { throw SystemError("start", path, errno: code) }
    return pid
}
