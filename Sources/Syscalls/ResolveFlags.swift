import CLinux

/// How openat2(2) may walk a path.
public struct ResolveFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The starting directory is `/` for the walk.
    public static let inRoot = ResolveFlags(rawValue: CLINUX_RESOLVE_IN_ROOT)
    /// No symbolic link in any component.
    public static let noSymlinks = ResolveFlags(rawValue: CLINUX_RESOLVE_NO_SYMLINKS)
    /// No procfs-style magic link in any component.
    public static let noMagicLinks = ResolveFlags(rawValue: CLINUX_RESOLVE_NO_MAGICLINKS)
    /// No crossing of a mount point, in either direction.
    public static let noCrossing = ResolveFlags(rawValue: CLINUX_RESOLVE_NO_XDEV)
    /// Nothing above the starting directory.
    public static let beneath = ResolveFlags(rawValue: CLINUX_RESOLVE_BENEATH)
}
