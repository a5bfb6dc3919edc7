import CLinux

/// A privilege of root that can be given up (capabilities(7)).
public struct Capability: Hashable, Sendable {
    let number: UInt32

    /// To give up others.
    public static let setCapabilities = Capability(number: CLINUX_CAP_SETPCAP)
    /// To look at `/proc/<pid>/ns` of others, and to write into their memory.
    public static let trace = Capability(number: CLINUX_CAP_SYS_PTRACE)
    /// To open what belongs to others.
    public static let allFiles = Capability(number: CLINUX_CAP_DAC_OVERRIDE)
    /// For pressure triggers that the kernel grants only to those who have it.
    public static let resources = Capability(number: CLINUX_CAP_SYS_RESOURCE)
    /// To enter a mount namespace, for which CAP_SYS_ADMIN is not enough.
    public static let changeRoot = Capability(number: CLINUX_CAP_SYS_CHROOT)
    /// To mount.
    public static let administration = Capability(number: CLINUX_CAP_SYS_ADMIN)
}

extension Capability {
    /// Whether a thread has this in effect, in its own user namespace.
    ///
    /// - Throws: `ESRCH` if there is no such thread.
    public func isInEffect(inThread tid: Int32) throws(SystemError) -> Bool {
        try check(
            clinux_has_capability(tid, number), "ask for capabilities of", "thread \(tid)")
            == 1
    }
}

extension Set<Capability> {
    /// A bit per number.
    var mask: UInt64 { reduce(0) { $0 | 1 << UInt64($1.number) } }
}
