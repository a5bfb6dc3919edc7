import CSeccomp
import Glibc
import JSON
import Syscalls

/// Which system calls a process may still make (seccomp(2)).
public struct SystemCallFilter: Sendable {
    /// What becomes of a call that is not allowed.
    public enum Mode: String, CaseIterable, FieldValue {
        /// The process is killed.
        case kill
        /// The call is made, and noted in the kernel's log.
        case log
        /// There is no filter.
        case off
    }

    private enum Rule {
        case allowOnly([String])
        case deny([String])
    }

    private let rule: Rule

    /// Puts the filter on all threads of this process, for ever.
    ///
    /// - Throws: `SystemError`; `DaemonError` if libseccomp makes no filter.
    package func load(_ mode: Mode) throws {
        let forbidden: UInt32
        switch mode {
        case .off: return
        case .kill: forbidden = Self.killProcess
        case .log: forbidden = Self.log
        }
        let standard: UInt32
        let other: UInt32
        let names: [String]
        switch rule {
        case .allowOnly(let list): (standard, other, names) = (forbidden, Self.allow, list)
        case .deny(let list): (standard, other, names) = (Self.allow, forbidden, list)
        }
        guard let filter = seccomp_init(standard) else {
            throw DaemonError("cannot make a system call filter")
        }
        defer { seccomp_release(filter) }
        // Threads that run already get it too.
        try check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1))
        // A tree instead of a list, for kernels before 5.11, which look at each call anew.
        try check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2))
        for name in names {
            let number = seccomp_syscall_resolve_name(name)
            // Not on this architecture, or newer than libseccomp.
            if number < 0 { continue }
            try check(seccomp_rule_add_array(filter, other, number, 0, nil))
        }
        try check(seccomp_load(filter))
    }

    private func check(_ result: CInt) throws(SystemError) {
        if result < 0 { throw SystemError("set the", "system call filter", errno: -result) }
    }

    // SCMP_ACT_*: macros that Swift does not import.
    private static let killProcess: UInt32 = 0x8000_0000
    private static let log: UInt32 = 0x7ffc_0000
    private static let allow: UInt32 = 0x7fff_0000

    /// For a worker that has everything open: it reads files, talks on sockets that it has
    /// and starts threads. It starts no program, mounts nothing, enters no namespace.
    package static let worker = SystemCallFilter(
        rule: .allowOnly([
            // FUSE, files, state
            "read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "lseek",
            "open", "openat", "close", "stat", "fstat", "lstat", "newfstatat", "statx",
            "statfs", "fstatfs", "getdents64", "readlink", "readlinkat", "access", "faccessat",
            "faccessat2", "openat2", "unlink", "unlinkat", "rename", "renameat", "renameat2",
            "mkdir",
            "mkdirat", "ftruncate", "fallocate", "fcntl", "ioctl", "dup", "dup2", "dup3",
            // Sockets: the control socket, the keeper
            "accept", "accept4", "getsockopt", "setsockopt", "getpeername", "sendmsg",
            "sendto", "recvmsg", "recvfrom", "shutdown",
            // Waiting
            "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
            "epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime",
            "nanosleep", "clock_nanosleep",
            "restart_syscall", "futex", "futex_waitv", "sched_yield",
            // Memory and threads
            "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "clone", "clone3",
            "set_robust_list", "rseq", "exit", "exit_group", "prctl", "prlimit64",
            "getrlimit", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
            "membarrier", "getrandom", "set_tid_address", "arch_prctl",
            // Signals
            "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
            "sigaltstack", "tgkill", "getpid", "gettid", "getppid",
            // Facts
            "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "uname",
            "sysinfo", "getuid", "geteuid", "getgid", "getegid", "getcwd", "getcpu",
            // Processes of containers
            "pidfd_open", "pidfd_send_signal",
            // CAP_SYS_RESOURCE for the time of opening a pressure file
            "capget", "capset",
        ]))

    /// For the keeper: what a daemon of this kind never does. Not a list of what it does, for
    /// workers inherit it, and a newer one may need calls that this version does not know.
    package static let keeper = SystemCallFilter(
        rule: .deny([
            "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime",
            "create_module", "delete_module", "finit_module", "get_kernel_syms", "init_module",
            "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl",
            "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mknod", "mknodat",
            "name_to_handle_at", "nfsservctl", "open_by_handle_at", "perf_event_open",
            "personality", "pivot_root", "quotactl", "quotactl_fd", "reboot", "request_key",
            "setdomainname", "setfsgid", "setfsuid", "setgid", "setgroups", "sethostname",
            "setns", "setregid", "setresgid", "setresuid", "setreuid", "settimeofday",
            "setuid", "swapoff", "swapon", "syslog", "unshare", "uselib", "userfaultfd",
            "vhangup",
        ]))
}
