import CLinux
import Glibc

public enum Privileges {
    /// Neither this process nor what it executes can gain privileges any more
    /// (`PR_SET_NO_NEW_PRIVS`).
    public static func forbidNew() throws(SystemError) {
        _ = try check(clinux_no_new_privileges(), "set", "no_new_privs")
    }

    /// Gives up all capabilities but `kept`, for the calling thread and what it starts.
    ///
    /// - Parameter dormant: more that are kept, but have no effect except where they are asked
    ///   for, see ``FileDescriptor/open(at:_:raising:)``.
    public static func keepOnly(
        _ kept: Set<Capability>, dormant: Set<Capability> = []
    ) throws(SystemError) {
        let result = clinux_keep_capabilities(
            kept.union(dormant).mask, kept.subtracting(dormant).mask)
        _ = try check(result, "give up", "capabilities")
    }

    /// No core dump of this process is written, which would hold up whoever waits for an
    /// answer of it, nor may others than root look into it.
    public static func forbidDumps() throws(SystemError) {
        _ = try check(clinux_forbid_dumps(), "forbid", "core dumps")
    }
}
