import Glibc
import KernelText
import Syscalls

/// Tells how far the clock since boot of another process is from ours (time_namespaces(7)).
public struct TimeNamespaces: Sendable {
    /// Our own; nil if the kernel has no time namespaces.
    private let own: NamespaceID?
    /// What our own adds to the clock since boot, in nanoseconds.
    public let ownOffset: Int64

    /// - Parameter proc: a procfs of our pid namespace.
    public init(_ proc: borrowing FileDescriptor) throws(SystemError) {
        own = try timeNamespace(of: nil, proc)
        ownOffset = own == nil ? 0 : try Self.offset("self", proc, Scratch(capacity: 256))
    }

    /// Whether the kernel has time namespaces (`CONFIG_TIME_NS`, Linux 5.6).
    public var areSupported: Bool { own != nil }

    /// What is to be added to our clock since boot to get that of a process, in nanoseconds; nil
    /// for a process in our own time namespace, which has the same.
    ///
    /// Also nil for one that lives in a foreign namespace and has made another one for its
    /// children: the kernel shows what that one adds.
    public func shift(
        of process: Int32, _ proc: borrowing FileDescriptor, _ scratch: Scratch
    ) throws(SystemError) -> Int64? {
        guard let own else { return nil }
        let name = "\(process)"
        guard let namespace = try timeNamespace(of: process, proc) else {
            throw SystemError("find the time namespace of process", name, errno: ESRCH)
        }
        if namespace == own { return nil }
        guard namespace == (try timeNamespace(of: process, forChildren: true, proc)) else {
            return nil
        }
        let offset = try Self.offset(name, proc, scratch)
        let (difference, overflow) = offset.subtractingReportingOverflow(ownOffset)
        return overflow ? nil : difference
    }

    private static func offset(
        _ process: String, _ proc: borrowing FileDescriptor, _ scratch: Scratch
    ) throws(SystemError) -> Int64 {
        let path = "\(process)/timens_offsets"
        let file = try proc.open(at: path)
        guard let offsets = TimeOffsets(parsing: try scratch.read(file.raw, path: path)) else {
            throw SystemError("understand", "/proc/" + path, errno: EINVAL)
        }
        return offsets.boottime
    }
}
