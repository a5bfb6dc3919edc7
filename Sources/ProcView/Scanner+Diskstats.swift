import KernelText
import Syscalls

extension Scanner {
    /// The device number at the start of a line of `/proc/diskstats`.
    mutating func diskstatsDevice() -> DeviceNumber? {
        guard let major = number(), let minor = number() else { return nil }
        return DeviceNumber(
            major: UInt32(truncatingIfNeeded: major), minor: UInt32(truncatingIfNeeded: minor))
    }
}
