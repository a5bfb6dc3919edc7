import Syscalls

/// The mounts of a mount namespace, from `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).
///
/// It tells what a mount is without touching it: statfs(2) would ask a FUSE server, and a
/// container's own one may never answer.
struct MountTable {
    struct Mount: Equatable {
        /// The mount that this one is mounted on.
        let parent: UInt64
        let type: String
        /// What is mounted below it also appears below all mounts of this group, in whatever
        /// namespace (mount_namespaces(7)); nil if it is not shared.
        var peerGroup: UInt64?

        var isFUSE: Bool { type == "fuse" || type == "fuseblk" || type.hasPrefix("fuse.") }
    }

    private let mounts: [UInt64: Mount]

    init(_ mountinfo: [UInt8]) {
        var mounts: [UInt64: Mount] = [:]
        for line in mountinfo.split(separator: UInt8(ascii: "\n")) {
            // 36 35 98:0 /root /mountpoint options optional... - type source superoptions
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 6, let id = Self.number(fields[0]),
                let parent = Self.number(fields[1]),
                let separator = fields[6...].firstIndex(where: { $0.elementsEqual([0x2D]) }),
                separator + 1 < fields.count
            else { continue }
            let type = String(decoding: fields[separator + 1], as: UTF8.self)
            let peerGroup = fields[6..<separator]
                .first { $0.starts(with: "shared:".utf8) }
                .flatMap { Self.number($0.dropFirst("shared:".utf8.count)) }
            mounts[id] = Mount(parent: parent, type: type, peerGroup: peerGroup)
        }
        self.mounts = mounts
    }

    var peerGroups: Set<UInt64> { Set(mounts.values.compactMap(\.peerGroup)) }

    subscript(id: UInt64) -> Mount? { mounts[id] }

    /// How many FUSE mounts lie on each other from mount `id` downwards, and the mount below
    /// them.
    func stack(from id: UInt64) -> (depth: Int, below: UInt64?) {
        var depth = 0
        var current: UInt64? = id
        // The count is bounded in case that the table was read while it changed.
        while let id = current, let mount = mounts[id], mount.isFUSE, depth <= mounts.count {
            depth += 1
            current = mount.parent
        }
        return (depth, current)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        UInt64(String(decoding: digits, as: UTF8.self))
    }
}
