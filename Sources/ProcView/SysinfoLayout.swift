/// How `struct sysinfo` lies in the memory of a caller (`<linux/sysinfo.h>`).
public enum SysinfoLayout: CaseIterable, Sendable {
    /// `long` has 8 bytes: the 64-bit architectures, and x32.
    case wide
    /// `long` has 4 bytes: i386, arm, ...
    case narrow

    /// Bytes of the structure.
    public var size: Int {
        switch self {
        case .wide: 112
        case .narrow: 64
        }
    }
}
