import Control
import KernelText

/// The mounts of a mount namespace, from `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).
///
/// The table tells what a mount is without touching the mount: statfs(2) would ask a FUSE
/// server, and a container's own one may never answer.
struct MountTable {
    /// More mounts on one file than this are not a leftover but an attack.
    static let stackLimit = 16

    struct Mount: Equatable {
        /// The mount that this one is mounted on.
        let parent: UInt64
        let type: String
        /// The group of mounts that share what is mounted below them, in whatever namespace
        /// (mount_namespaces(7)); nil if this mount is not shared.
        let peerGroup: UInt64?

        let isFUSE: Bool
        /// Whether it may be one of ours: on FUSE, or an ``OwnFilesystem``.
        let isServed: Bool

        /// - Returns: nil if the line says nothing of a filesystem.
        fileprivate init?(_ mount: Mountinfo.Mount?) {
            guard let mount, let filesystem = mount.filesystem else { return nil }
            parent = mount.parent
            type = filesystem.type.string
            peerGroup = mount.peerGroup
            isFUSE = mount.isFUSE
            isServed =
                isFUSE
                || filesystem.type.equals("overlay")
                    && filesystem.source.elementsEqual(ServedOverlay.source.utf8)
        }
    }

    private let text: [UInt8]
    /// Where lines begin. Few of the many lines are ever asked for: each is parsed only then.
    private let lines: [Int]
    /// The mount of each line: a container may have 100,000, and each of its files is looked for a
    /// few times. 0, which is none, of a line that is not understood.
    private let ids: [UInt64]

    init(_ mountinfo: [UInt8]) {
        (lines, ids) = mountinfo.withUnsafeBufferPointer { text in
            var lines: [Int] = []
            var ids: [UInt64] = []
            var start = 0
            while start < text.count {
                let end = text.firstIndex(of: newline, from: start)
                lines.append(start)
                ids.append(Mountinfo.Mount.id(ofLine: text.part(start..<end)) ?? 0)
                start = end + 1
            }
            return (lines, ids)
        }
        text = mountinfo
    }

    var peerGroups: Set<UInt64> {
        text.withUnsafeBufferPointer { text in
            Set(Mountinfo(text).compactMap { $0.filesystem == nil ? nil : $0.peerGroup })
        }
    }

    subscript(id: UInt64) -> Mount? {
        text.withUnsafeBufferPointer { text in
            var index = ids.count
            while index > 0 {
                index -= 1
                if ids[index] != id { continue }
                let start = lines[index]
                let line = text.part(start..<text.firstIndex(of: newline, from: start))
                if let mount = Mount(Mountinfo.Mount(line)) { return mount }
            }
            return nil
        }
    }

    /// How many mounts that may be ours lie on each other from mount `id` downwards, and the mount
    /// below them.
    func stack(from id: UInt64) -> (depth: Int, below: UInt64?) {
        var depth = 0
        var current: UInt64? = id
        // A table that was read while it changed may show a loop: the count ends at a limit.
        // Beyond it the caller gives up anyway.
        let limit = 2 * Self.stackLimit
        while let id = current, let mount = self[id], mount.isServed, depth <= limit {
            depth += 1
            current = mount.parent
        }
        return (depth, current)
    }
}
