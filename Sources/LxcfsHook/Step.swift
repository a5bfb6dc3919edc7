import Syscalls

/// What the hook is at: if it takes too long, whoever watches it says so, and knows what is to be
/// taken back.
enum Step: Equatable {
    case reading
    case deciding
    case registering
    case preparing
    /// From here on nothing waits for the daemon.
    case mounting(MountedFiles)
    case unregistering

    /// Behind "while".
    var text: String {
        switch self {
        case .reading: "reading what the runtime says"
        case .deciding: "working on config.json"
        case .registering: "registering with lxcfsd"
        case .preparing: "looking up the files of lxcfsd"
        case .mounting: "mounting"
        case .unregistering: "telling lxcfsd of its end"
        }
    }
}

/// Which mounts in a container are the hook's.
struct MountedFiles: Equatable {
    /// A process of the container.
    let pid: Int32
    /// The inode of its mount namespace: by then its number may be another container's.
    let namespace: UInt64
    /// The container's root in its mount namespace.
    let rootfs: String
    /// The superblocks of the files.
    let devices: [DeviceNumber]
}
