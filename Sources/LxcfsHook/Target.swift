/// A place in a container that a virtual file is mounted on.
struct Target: Hashable, Sendable, CustomStringConvertible {
    let filesystem: KernelFilesystem
    /// The directory relative to the filesystem's root; empty for that root.
    let parent: String
    let name: String
    /// The directory in which the file is served, if it is another one than in the container.
    private let otherSource: String?

    /// - Parameter servedIn: see ``servedDirectory``; the directory in the container if nil.
    init(
        _ filesystem: KernelFilesystem, parent: String = "", name: String,
        servedIn: String? = nil
    ) {
        self.filesystem = filesystem
        self.parent = parent
        self.name = name
        otherSource = servedIn
    }

    /// The path in the container.
    var path: String { "\(directory)/\(name)" }

    /// The directory of the file below that in which the container's files are served.
    var servedDirectory: String { otherSource ?? directory }

    /// The path of the file below the directory in which the container's files are served.
    var servedPath: String { "\(servedDirectory)/\(name)" }

    /// The directory of `path`.
    var directory: String {
        parent.isEmpty ? filesystem.mountpoint : "\(filesystem.mountpoint)/\(parent)"
    }

    /// Whether a container may write to the file. Programs write triggers to pressure files.
    var isWritable: Bool { filesystem == .proc && parent == "pressure" }

    var description: String { path }

    static let cpuDirectory = Target(.sys, parent: "devices/system", name: "cpu")
    /// The file that is replaced instead of the directory if lxcfs does not list that.
    static let cpuOnline = Target(.sys, parent: "devices/system/cpu", name: "online")
}
