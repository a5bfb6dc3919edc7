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

    /// A call that is allowed or forbidden, and with what.
    struct Call {
        let name: String
        /// What one argument must be, each a way to make the call; empty: anything.
        let ways: [Argument]

        init(_ name: String, _ ways: [Argument] = []) {
            self.name = name
            self.ways = ways
        }
    }

    /// A condition on an argument: its bits under `mask` are those of `value`.
    struct Argument {
        let index: UInt32
        let mask: UInt64
        let value: UInt64
        /// It is another number than `value`, in any bit.
        var isNegated = false

        /// The lower half is all that the kernel takes of an `int`.
        static func int(_ index: UInt32, _ value: UInt64) -> Argument {
            Argument(index: index, mask: 0xffff_ffff, value: value & 0xffff_ffff)
        }

        static func not(_ index: UInt32, _ value: UInt64) -> Argument {
            Argument(index: index, mask: .max, value: value, isNegated: true)
        }

        static func without(_ index: UInt32, _ bits: UInt64) -> Argument {
            Argument(index: index, mask: bits, value: 0)
        }

        static func with(_ index: UInt32, _ bits: UInt64) -> Argument {
            Argument(index: index, mask: bits, value: bits)
        }
    }

    private enum Rule {
        case allowOnly(@Sendable () -> [Call])
        case deny([Call])
    }

    private let rule: Rule

    private init(rule: Rule) { self.rule = rule }

    /// - Parameter calls: what is allowed, when it is loaded; nothing else is.
    init(allowing calls: @escaping @Sendable () -> [Call]) { rule = .allowOnly(calls) }

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
        let calls: [Call]
        switch rule {
        case .allowOnly(let list): (standard, other, calls) = (forbidden, Self.allow, list())
        case .deny(let list):
            (standard, other, calls) = (Self.allow, forbidden, list)
        }
        guard let filter = seccomp_init(standard) else {
            throw DaemonError("cannot make a system call filter")
        }
        defer { seccomp_release(filter) }
        // Threads that run already get it too.
        try check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1))
        // Calls of another ABI (x32, 32 bits) would end the thread alone.
        try check(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, Self.killProcess))
        // A tree instead of a list, for kernels before 5.11, which look at each call anew.
        try check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2))
        for call in calls {
            let number = seccomp_syscall_resolve_name(call.name)
            // Not on this architecture, or newer than libseccomp.
            if number < 0 { continue }
            if call.ways.isEmpty {
                try check(seccomp_rule_add_array(filter, other, number, 0, nil))
            }
            for way in call.ways {
                var argument =
                    way.isNegated
                    ? scmp_arg_cmp(
                        arg: way.index, op: SCMP_CMP_NE, datum_a: way.value, datum_b: 0)
                    : scmp_arg_cmp(
                        arg: way.index, op: SCMP_CMP_MASKED_EQ, datum_a: way.mask,
                        datum_b: way.value)
                try check(seccomp_rule_add_array(filter, other, number, 1, &argument))
            }
        }
        if case .allowOnly = rule {
            // Its flags are behind a pointer, where a filter does not see them. glibc takes
            // clone(2) then.
            let number = seccomp_syscall_resolve_name("clone3")
            if number >= 0 {
                try check(seccomp_rule_add_array(filter, Self.notThere, number, 0, nil))
            }
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
    /// SCMP_ACT_ERRNO
    private static let notThere: UInt32 = 0x0005_0000 | UInt32(ENOSYS)

    /// For the keeper: what a daemon of this kind never does. Not a list of what it does, for
    /// workers inherit it, and a newer one may need calls that this version does not know.
    ///
    /// - Parameter changesMountNamespace: it mounts in another one than its own.
    package static func keeper(changesMountNamespace: Bool) -> SystemCallFilter {
        let calls =
            changesMountNamespace
            ? otherNamespaces : [Call("setns"), Call("unshare")]
        return SystemCallFilter(rule: .deny(never.map { Call($0) } + calls))
    }

    /// setns(2) into a namespace of another kind, or of one that is not told; unshare(2) of any.
    private static let otherNamespaces = [
        Call("setns", [.not(1, UInt64(CLONE_NEWNS))]),
        Call("unshare", [.not(0, UInt64(CLONE_FS))]),
    ]

    private static let never = [
        "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime",
        "create_module", "delete_module", "finit_module", "get_kernel_syms", "init_module",
        "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl",
        "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mknod", "mknodat",
        "name_to_handle_at", "nfsservctl", "open_by_handle_at", "perf_event_open",
        "personality", "pivot_root", "quotactl", "quotactl_fd", "reboot", "request_key",
        "setdomainname", "setfsgid", "setfsuid", "setgid", "setgroups", "sethostname",
        "setregid", "setresgid", "setresuid", "setreuid", "settimeofday",
        "setuid", "swapoff", "swapon", "syslog", "uselib", "userfaultfd",
        "vhangup",
    ]
}
