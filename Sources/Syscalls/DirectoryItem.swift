import Glibc

/// A name in a directory.
public struct DirectoryItem: Sendable {
    public let name: String
    /// `DT_DIR`, `DT_REG`, ... (readdir(3)).
    public let type: UInt8
    public let inode: UInt64

    public var isDirectory: Bool { type == UInt8(DT_DIR) }
    public var isRegularFile: Bool { type == UInt8(DT_REG) }
    public var isSymbolicLink: Bool { type == UInt8(DT_LNK) }
}
