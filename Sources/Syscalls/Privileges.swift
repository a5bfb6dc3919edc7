import CLinux
import Glibc

/// A privilege of root that can be given up (capabilities(7)).
public struct Capabilities: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// To give up others.
    public static let setCapabilities = Capabilities(rawValue: 1 << CLINUX_CAP_SETPCAP)
    /// To look at `/proc/<pid>/ns` of others.
    public static let trace = Capabilities(rawValue: 1 << CLINUX_CAP_SYS_PTRACE)
    /// For pressure triggers that the kernel grants only to those who have it.
    public static let resources = Capabilities(rawValue: 1 << CLINUX_CAP_SYS_RESOURCE)
    /// To mount.
    public static let administration = Capabilities(rawValue: 1 << CLINUX_CAP_SYS_ADMIN)
}

public enum Privileges {
    /// Neither this process nor what it executes can gain privileges any more
    /// (`PR_SET_NO_NEW_PRIVS`).
    public static func forbidNew() throws(SystemError) {
        _ = try check(clinux_no_new_privileges(), "set", "no_new_privs")
    }

    /// Gives up all capabilities but `kept`, for the calling thread and what it starts.
    ///
    /// - Parameter dormant: those of them that have no effect except where they are asked
    ///   for, see ``FileDescriptor/openWithResources(at:_:)``.
    public static func keepOnly(
        _ kept: Capabilities, dormant: Capabilities = []
    ) throws(SystemError) {
        let effective = kept.subtracting(dormant)
        _ = try check(
            clinux_keep_capabilities(kept.rawValue, effective.rawValue), "give up",
            "capabilities")
    }

    /// No core dump of this process is written, which would hold up whoever waits for an
    /// answer of it, nor may others than root look into it.
    public static func forbidDumps() throws(SystemError) {
        _ = try check(clinux_forbid_dumps(), "forbid", "core dumps")
    }
}
