import CLinux

/// A system call in which a thread waits until the agent has answered it
/// (seccomp_unotify(2)).
public struct InterceptedCall: Equatable, Sendable {
    public enum Name: Sendable {
        /// sysinfo(2).
        case sysinfo
        /// sched_getaffinity(2).
        case schedGetaffinity
        case other
    }

    /// Unique among those of its listener.
    public let id: UInt64
    /// The calling thread in our pid namespace; 0 if it cannot be seen from here.
    public let tid: Int32
    public let name: Name
    /// Made through a 32-bit interface: pointers and `long` have 4 bytes. False for x32,
    /// whose structures are those of x86_64.
    public let is32Bit: Bool
    /// The registers, widened with zeroes.
    public let arguments: (UInt64, UInt64, UInt64)

    public static func == (left: InterceptedCall, right: InterceptedCall) -> Bool {
        left.id == right.id && left.tid == right.tid && left.name == right.name
            && left.is32Bit == right.is32Bit && left.arguments == right.arguments
    }

    /// Which call `number` is for an `AUDIT_ARCH_*` value of `<linux/audit.h>`.
    public static func identify(
        architecture: UInt32, number: Int32
    ) -> (name: Name, is32Bit: Bool) {
        let known = clinux_seccomp_call(architecture, number)
        let name: Name =
            switch Int(known.call) {
            case Int(CLINUX_CALL_SYSINFO): .sysinfo
            case Int(CLINUX_CALL_SCHED_GETAFFINITY): .schedGetaffinity
            default: .other
            }
        return (name, known.is_32bit != 0)
    }
}
