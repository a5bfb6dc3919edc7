import Glibc

extension SystemCallFilter {
    /// For a worker that has everything open: it reads files, talks on sockets that it has
    /// and starts threads. It starts no program or process, mounts nothing, enters no namespace, and
    /// sends no signal but to itself.
    package static let worker = SystemCallFilter(
        allowing: { own + descriptors + waiting + facts })

    /// For its aide: the little that it does.
    package static let aide = SystemCallFilter(
        allowing: {
            own
                + names([
                    "read", "pread64", "write", "sendto", "openat", "close", "fstat",
                    "newfstatat",
                    "fstatfs", "sendmsg", "recvmsg", "socketpair", "process_vm_writev", "dup3",
                    // CAP_SYS_RESOURCE for the time of opening a pressure file, and CAP_DAC_OVERRIDE
                    "capget", "capset",
                    "poll", "ppoll", "nanosleep", "clock_nanosleep", "clock_gettime",
                ])
        })

    private static func names(_ names: [String]) -> [Call] { names.map { Call($0) } }

    /// Memory, threads and signals, none of which concerns another process.
    private static var own: [Call] {
        let executable = UInt64(PROT_EXEC)
        return names([
            "brk", "munmap", "mremap", "madvise", "set_robust_list", "rseq", "exit",
            "exit_group", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
            "membarrier", "getrandom", "set_tid_address", "futex", "futex_waitv",
            "sched_yield", "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
            "sigaltstack", "getpid", "gettid", "getppid",
        ]) + [
            // No code is made.
            Call("mmap", [.without(2, executable)]),
            Call("mprotect", [.without(2, executable)]),
            // Threads alone.
            Call("clone", [.with(cloneFlags, UInt64(CLONE_THREAD))]),
            Call(
                "prctl",
                [.int(0, 15) /* PR_SET_NAME */, .int(0, 0x53_564d_41) /* PR_SET_VMA */]),
            // Signals to itself: between threads, and abort(3).
            Call("tgkill", [.int(0, UInt64(UInt32(bitPattern: getpid())))]),
            // Limits are looked at only: no new ones, and so nobody else's either.
            Call("prlimit64", [.without(2, .max)]), Call("getrlimit"),
        ]
    }

    /// Which argument of clone(2) has the flags.
    private static var cloneFlags: UInt32 {
        #if arch(s390x)
            1
        #else
            0
        #endif
    }

    /// Files, FUSE, sockets. What is opened is up to ``Confinement``.
    private static var descriptors: [Call] {
        names([
            "read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "lseek",
            "open", "openat", "openat2", "close", "stat", "fstat", "lstat", "newfstatat",
            "statx", "statfs", "fstatfs", "getdents64", "readlink", "readlinkat", "access",
            "faccessat", "faccessat2", "unlink", "unlinkat", "rename", "renameat", "renameat2",
            "mkdir", "mkdirat", "ftruncate", "fallocate", "dup", "dup2", "dup3",
            // States that find no room in their directory
            "memfd_create",
            // Sockets: the control socket, the keeper, the aide
            "accept", "accept4", "getsockopt", "getpeername", "sendmsg",
            "sendto", "recvmsg", "recvfrom",
        ]) + [
            // F_SETOWN would send signals to anybody.
            Call(
                "fcntl",
                [F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_ADD_SEALS].map
                {
                    .int(1, UInt64($0))
                }),
            // How long a client is waited for. Not what stays with a listening socket, such as filters:
            // the next workers have the same.
            Call("setsockopt", [.int(2, UInt64(SO_SNDTIMEO)), .int(2, UInt64(SO_RCVTIMEO))]),
            Call("ioctl", requests.map { Argument(index: 1, mask: 0xffff, value: $0) }),
        ]
    }

    /// The lower half of an ioctl(2) request: its type and number.
    private static let requests: [UInt64] = [
        // TCGETS: whether it is a terminal
        0x5401,
        // SECCOMP_IOCTL_NOTIF_RECV, _SEND, _ID_VALID, _SET_FLAGS. Not _ADDFD.
        0x2100, 0x2101, 0x2102, 0x2104,
        // NS_GET_USERNS, _PARENT, _NSTYPE, _OWNER_UID, _MNTNS_ID, and the numbers of processes:
        // NS_GET_PID_FROM_PIDNS, _TGID_FROM_, _PID_IN_, _TGID_IN_
        0xb701, 0xb702, 0xb703, 0xb704, 0xb705, 0xb706, 0xb707, 0xb708, 0xb709,
        // PIDFD_GET_INFO
        0xff0b,
        // FUSE_DEV_IOC_CLONE
        0xe500,
    ]

    private static var waiting: [Call] {
        names([
            "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
            "epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime",
            "nanosleep", "clock_nanosleep", "rt_sigtimedwait",
        ])
    }

    private static var facts: [Call] {
        names([
            "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "uname",
            "sysinfo", "getuid", "geteuid", "getgid", "getegid", "getcwd", "getcpu",
            // Whether processes of containers have ended
            "pidfd_open",
            // What capabilities a caller has
            "capget",
        ]) + [Call("pidfd_send_signal", [.int(1, 0)])]
    }
}
