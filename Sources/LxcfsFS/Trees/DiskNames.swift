import Glibc
import LxcfsHandover
import ProcView
import Syscalls

/// `/sys/dev/block`: a directory for each block device of the host, by its number.
struct DiskNames {
    let host: Host

    func kind(of block: BlockNode) -> NodeKind {
        block.kind == .directory ? .directory : .file(mode: 0o444)
    }

    /// All devices.
    func directories(_ slot: UInt32) throws(SystemError) -> [TreeEntry] {
        let devices = try host.diskstats.withText(
            now: host.now(), maxAge: host.shapeLifetime
        ) { BlockDevice.all(diskstats: $0) }
        return devices.compactMap { device in
            BlockNode(.directory, device).map { entry($0, $0.directoryName, slot) }
        }
    }

    /// - Returns: nil if the host has no such device.
    func directory(named name: String, _ slot: UInt32) throws(SystemError) -> TreeEntry? {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = UInt32(parts[0]), let minor = UInt32(parts[1]),
            let block = BlockNode(.directory, DeviceNumber(major: major, minor: minor)),
            block.directoryName == name, try host.hasDisk(block.device)
        else { return nil }
        return entry(block, name, slot)
    }

    /// The files of a device.
    ///
    /// - Throws: `ENOTDIR` if the node is a file.
    func entries(_ block: BlockNode, _ slot: UInt32) throws(SystemError) -> [TreeEntry] {
        guard block.kind == .directory else {
            throw SystemError("list", block.kind.name, errno: ENOTDIR)
        }
        return [BlockNode.Kind.stat, .inflight].compactMap { kind in
            BlockNode(kind, block.device).map { entry($0, kind.name, slot) }
        }
    }

    private func entry(_ block: BlockNode, _ name: String, _ slot: UInt32) -> TreeEntry {
        TreeEntry(name: name, node: block.node(slot: slot), kind: kind(of: block))
    }
}
