import CLinux
import Glibc

/// Child processes that take over descriptors.
public enum ChildProcess {
    /// The lowest number that a child can get a descriptor under.
    public static let firstDescriptor: CInt = 3

    /// Starts a program (posix_spawn(3)) with this process's environment and no signal
    /// blocked.
    ///
    /// - Parameters:
    ///   - executable: the program's file; need not have a name any more.
    ///   - descriptors: the child has them as 3, 4, and so on. Everything else that is not
    ///     close-on-exec is inherited too.
    public static func start(
        _ executable: borrowing FileDescriptor, _ arguments: [String], descriptors: [CInt]
    ) throws(SystemError) -> pid_t {
        // Above the numbers that they get: no copy may hit one that is still to be copied.
        let above = firstDescriptor + CInt(descriptors.count)
        var from: [CInt] = []
        defer { for number in from { close(number) } }
        for descriptor in descriptors {
            from.append(
                try attempting("duplicate", "descriptor \(descriptor)") {
                    fcntl(descriptor, F_DUPFD_CLOEXEC, above)
                })
        }
        let program = FileDescriptor(
            owning: try attempting("duplicate", "executable") {
                fcntl(executable.raw, F_DUPFD_CLOEXEC, above)
            })
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let code = spawn("/proc/self/fd/\(program.raw)", words, from, &pid)
        if code != 0 { throw SystemError("start", arguments.first, errno: code) }
        return pid
    }

    /// posix_spawn(3) with `descriptors` as 3, 4, and so on, and no signal blocked or ignored.
    ///
    /// - Returns: an errno, or 0.
    private static func spawn(
        _ path: String, _ words: [UnsafeMutablePointer<CChar>?], _ descriptors: [CInt],
        _ pid: inout pid_t
    ) -> CInt {
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        var attributes = posix_spawnattr_t()
        var code = posix_spawnattr_init(&attributes)
        if code != 0 { return code }
        defer { posix_spawnattr_destroy(&attributes) }
        var actions = posix_spawn_file_actions_t()
        code = posix_spawn_file_actions_init(&actions)
        if code != 0 { return code }
        defer { posix_spawn_file_actions_destroy(&actions) }
        code = posix_spawnattr_setsigmask(&attributes, &none)
        if code != 0 { return code }
        code = posix_spawnattr_setsigdefault(&attributes, &all)
        if code != 0 { return code }
        code = posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        if code != 0 { return code }
        for (index, descriptor) in descriptors.enumerated() {
            code = posix_spawn_file_actions_adddup2(
                &actions, descriptor, firstDescriptor + CInt(index))
            if code != 0 { return code }
        }
        return posix_spawn(&pid, path, &actions, &attributes, words, environ)
    }

    /// How a child has ended.
    public struct End: Equatable, Sendable {
        public let pid: pid_t
        /// The signal that killed it; 0 if it exited by itself.
        public let signal: CInt
        /// The exit code, if it exited by itself.
        public let code: CInt

        public init(pid: pid_t, signal: CInt, code: CInt) {
            self.pid = pid
            self.signal = signal
            self.code = code
        }
    }

    /// A child that has ended, if any; it is forgotten then (waitpid(2)).
    public static func reap() throws(SystemError) -> End? {
        var signal: CInt = 0
        var code: CInt = 0
        let pid = try check(clinux_reap(&signal, &code), "wait for", "a child process")
        return pid == 0 ? nil : End(pid: pid, signal: signal, code: code)
    }

    /// Whether a child that cannot be reaped yet has ended all the same: its first thread has,
    /// and others are on their way or hang in the kernel.
    public static func isEnding(_ pid: pid_t) -> Bool {
        threadState(inDirectory: "/proc/\(pid)") == UInt8(ascii: "Z")
    }

    /// Whether no thread of a child that has been killed will run again before what it waits for
    /// in the kernel has come: all others have ended.
    ///
    /// - Returns: also true if there is no such process.
    public static func isStuck(_ pid: pid_t) -> Bool {
        let tasks = "/proc/\(pid)/task"
        guard let threads = try? FileDescriptor.open(tasks, O_RDONLY | O_DIRECTORY).list()
        else { return true }
        return threads.allSatisfy { thread in
            switch threadState(inDirectory: "\(tasks)/\(thread.name)") {
            case UInt8(ascii: "Z"), UInt8(ascii: "X"), UInt8(ascii: "D"), nil: true
            default: false
            }
        }
    }

    /// Whether a thread of a child works at this moment, or waits in the kernel for something that no
    /// signal ends.
    public static func isAtWork(_ thread: pid_t, of pid: pid_t) -> Bool {
        switch threadState(inDirectory: "/proc/\(pid)/task/\(thread)") {
        case UInt8(ascii: "R"), UInt8(ascii: "D"): true
        default: false
        }
    }

    /// Has this process killed when the thread that started it ends (`PR_SET_PDEATHSIG`).
    public static func dieWithParent() throws(SystemError) {
        _ = try check(clinux_set_death_signal(SIGKILL), "set", "the parent death signal")
    }

    /// Makes processes that lose their parents this one's children, however far below this one they
    /// are (`PR_SET_CHILD_SUBREAPER`). It stays so across execve(2).
    public static func adoptOrphans() throws(SystemError) {
        _ = try check(clinux_adopt_orphans(), "become the parent of", "orphans")
    }

    /// Waits until there are no children any more, whoever started them, and forgets them.
    ///
    /// - Parameter longest: how long to wait, in nanoseconds.
    /// - Returns: whether there are none.
    public static func reapAll(within longest: UInt64) throws(SystemError) -> Bool {
        let start = Clock.monotonic()
        while try check(clinux_reap_any(), "wait for", "child processes") == 0 {
            guard Clock.monotonic() - start < longest else { return false }
            usleep(500)
        }
        return true
    }

    /// The name in `/proc/<pid>/comm`, at most 15 bytes.
    public static func setName(_ name: String) throws(SystemError) {
        _ = try check(clinux_set_name(name), "set", "the process name")
    }
}
