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
    /// To mount.
    public static let administration = Capability(number: CLINUX_CAP_SYS_ADMIN)
}

extension Set<Capability> {
    /// A bit per number.
    var mask: UInt64 { reduce(0) { $0 | 1 << UInt64($1.number) } }
}
