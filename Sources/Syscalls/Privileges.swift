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
    public static func keepOnly(_ kept: Capabilities) throws(SystemError) {
        _ = try check(clinux_keep_capabilities(kept.rawValue), "give up", "capabilities")
    }
}
