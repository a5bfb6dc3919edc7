import Control
import KernelText

/// Which mounts of which mount namespaces are the daemon's, from the tables of all of them.
///
/// The daemon cannot be asked: it may have ended, and it does not know all of them (`docker -v`, a
/// container in a container). All lxcfs of a machine call their filesystem the same. So one is taken
/// for ours whose superblock is one of our own mounts, or is mounted as a whole nowhere, as that of a
/// daemon which has ended.
struct ServedMounts {
    /// The mounts of one mount namespace.
    struct Namespace {
        /// A process in it.
        let pid: Int32
        /// `/proc/<pid>/mountinfo` of it.
        let table: [UInt8]
        /// Whether the process belongs to a container that the daemon knows.
        let isRegistered: Bool
    }

    /// A process, and the ids of mounts in its mount namespace.
    struct Found: Equatable {
        let pid: Int32
        let mounts: Set<UInt64>
    }

    /// - Parameters:
    ///   - places: the paths in containers on which files may be mounted.
    ///   - ownMounts: where the daemon has mounts of its own, and below.
    ///   - host: the table of mounts of the namespace in which these are.
    /// - Returns: those namespaces in which something of ours is mounted on one of the places.
    static func find(
        in namespaces: [Namespace], places: [String], ownMounts: [String], host: [UInt8]
    ) -> [Found] {
        let own = devices(in: host) { mount in
            guard mount.isFUSE else { return false }
            let point = Mountinfo.unescaped(mount.point)
            return ownMounts.contains { point == $0 || point.hasPrefix($0 + "/") }
        }
        let others = ([host] + namespaces.map(\.table))
            .reduce(into: Set<[UInt8]>()) { found, table in
                found.formUnion(devices(in: table) { isLxcfs($0) && $0.root.equals("/") })
            }
            .subtracting(own)
        let suffixes = places.map { Mountinfo.escaped($0) }
        return namespaces.compactMap { namespace in
            let mounts = namespace.table.withUnsafeBufferPointer { text in
                Mountinfo(text).compactMap { mount -> UInt64? in
                    guard suffixes.contains(where: { mount.point.ends(with: $0) }) else {
                        return nil
                    }
                    let device = Array(mount.device)
                    let isOurs =
                        if mount.isFUSE {
                            own.contains(device) || isLxcfs(mount) && !others.contains(device)
                        } else {
                            // Whose it is, nothing says.
                            isOverlay(mount) && (namespace.isRegistered || others.isEmpty)
                        }
                    return isOurs ? mount.id : nil
                }
            }
            return mounts.isEmpty ? nil : Found(pid: namespace.pid, mounts: Set(mounts))
        }
    }

    private static func devices(
        in table: [UInt8], where isWanted: (Mountinfo.Mount) -> Bool
    ) -> Set<[UInt8]> {
        table.withUnsafeBufferPointer { text in
            Set(Mountinfo(text).filter(isWanted).map { Array($0.device) })
        }
    }

    private static func isLxcfs(_ mount: Mountinfo.Mount) -> Bool {
        mount.filesystem?.type.equals("fuse.lxcfs") ?? false
    }

    /// See ``OwnFilesystem``.
    private static func isOverlay(_ mount: Mountinfo.Mount) -> Bool {
        guard let filesystem = mount.filesystem else { return false }
        return filesystem.type.equals("overlay")
            && filesystem.source.elementsEqual(ServedOverlay.source.utf8)
    }
}

extension Bytes {
    fileprivate func ends(with end: [UInt8]) -> Bool {
        count >= end.count && suffix(end.count).elementsEqual(end)
    }
}
