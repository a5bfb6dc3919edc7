/// A place in a container that a virtual file is mounted on.
struct Target: Hashable, Sendable, CustomStringConvertible {
    let filesystem: KernelFilesystem
    /// The directory relative to the filesystem's root; empty for that root.
    let parent: String
    let name: String

    init(_ filesystem: KernelFilesystem, parent: String = "", name: String) {
        self.filesystem = filesystem
        self.parent = parent
        self.name = name
    }

    /// Absolute in the container, and below the directory of a container tree.
    var path: String { "\(directory)/\(name)" }

    /// Likewise, the directory that it is in.
    var directory: String {
        parent.isEmpty ? filesystem.mountpoint : "\(filesystem.mountpoint)/\(parent)"
    }

    /// Whether a container may write to it: triggers to pressure files.
    var isWritable: Bool { filesystem == .proc && parent == "pressure" }

    var description: String { path }

    static let cpuDirectory = Target(.sys, parent: "devices/system", name: "cpu")
    /// What is replaced instead of the directory if lxcfs does not list it.
    static let cpuOnline = Target(.sys, parent: "devices/system/cpu", name: "online")
}
