import Control
import KernelText
import LxcfsHandover

/// The two FUSE connections as the kernel's mount tables name them.
struct TreeDevices: Equatable {
    /// `major:minor`.
    let containers: [UInt8]
    let callers: [UInt8]

    /// - Parameters:
    ///   - tree: ``RuntimeDirectory/tree``; there may be none.
    ///   - mountinfo: our own `/proc/self/mountinfo`.
    /// - Returns: nil if the trees are not mounted.
    init?(mountPoint: String, tree: String, mountinfo: Bytes) {
        let path = Mountinfo.escaped(mountPoint)
        let opens = Mountinfo.escaped(mountPoint + "/" + TreeNames.opens)
        let tree = Mountinfo.escaped(tree)
        var top: [UInt8]?
        var inTop: [UInt8]?
        var beside: [UInt8]?
        // The last one covers those before.
        for mount in Mountinfo(mountinfo) {
            if mount.point.elementsEqual(path) { top = Array(mount.device) }
            if mount.point.elementsEqual(opens) { inTop = Array(mount.device) }
            if mount.point.elementsEqual(tree) { beside = Array(mount.device) }
        }
        guard let top, let other = beside ?? inTop else { return nil }
        containers = beside == nil ? top : other
        callers = beside == nil ? other : top
    }

    /// - Parameter mountinfo: that of a process.
    func meminfo(in mountinfo: Bytes) -> SeenMeminfo {
        var seen = SeenMeminfo.foreign
        for mount in Mountinfo(mountinfo) {
            // A procfs that is mounted later covers what is mounted on the former.
            if mount.point.equals("/proc") || mount.point.equals("/") { seen = .foreign }
            if mount.point.equals("/proc/meminfo") { seen = file(mount) }
        }
        return seen
    }

    private func file(_ mount: Mountinfo.Mount) -> SeenMeminfo {
        let names = mount.root.string.split(separator: "/")
        if mount.device.elementsEqual(callers), names.prefix(2) == ["proc", "meminfo"] {
            return .caller
        }
        if mount.device.elementsEqual(containers), names.count >= 3,
            names[1...2] == ["proc", "meminfo"]
        {
            return .container(id: String(names[0]))
        }
        if names == ["proc", "meminfo"], let (type, source, _) = mount.filesystem,
            type.equals("overlay"), source.elementsEqual(ServedOverlay.source.utf8)
        {
            return .own
        }
        return .foreign
    }
}
