import Glibc
import LxcfsHandover
import ProcView
import Syscalls

/// The files of single block devices.
extension Container {
    /// Makes the content of a file in `workspace.out`. The caller holds `lock`.
    ///
    /// - Throws: `ENODEV` if the host does not have the device any more, as sysfs does.
    func render(
        _ block: BlockNode, _ host: Host, _ workspace: Workspace
    ) throws(SystemError) {
        let path = "dev/block/\(block.directoryName)/\(block.kind.name)"
        if isHost || host.passesThrough {
            return try append(path, host.roots.sys, workspace)
        }
        let exists: Bool
        switch block.kind {
        case .directory: throw SystemError("read", path, errno: EISDIR)
        case .stat:
            try cgroups.readIO(workspace.scratch, into: &workspace.io)
            exists = try host.diskstats.withText(now: host.now(), maxAge: host.shapeLifetime) {
                BlockDevice.renderStat(
                    block.device, workspace.io, diskstats: $0, into: workspace.out)
            }
        case .inflight:
            exists = try host.hasDisk(block.device)
            BlockDevice.renderInflight(into: workspace.out)
        }
        if !exists { throw SystemError("read", path, errno: ENODEV) }
    }
}

extension Host {
    /// Whether there is a block device of this number.
    func hasDisk(_ device: DeviceNumber) throws(SystemError) -> Bool {
        try diskstats.withText(now: now(), maxAge: shapeLifetime) {
            BlockDevice.exists(device, diskstats: $0)
        }
    }
}
