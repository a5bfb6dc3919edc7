import Syscalls

/// What is served of one block device: `/sys/dev/block/MAJOR:MINOR` and what is in it.
///
/// The device is part of the number by which the kernel knows the file, so that a new worker
/// understands it (``NodeID``): the lower 12 bits of the minor number are where others have the
/// CPU, and
///
///     file = kind + (major << 1 | minor >> 12)
package struct BlockNode: Equatable, Sendable {
    /// The raw values are part of what the kernel remembers.
    package enum Kind: UInt32, CaseIterable, Sendable {
        case directory = 1024
        case stat = 2048
        case inflight = 3072

        /// The name in the directory of the device.
        package var name: String {
            switch self {
            case .directory: ""
            case .stat: "stat"
            case .inflight: "inflight"
            }
        }
    }

    package let kind: Kind
    package let device: DeviceNumber

    /// The kernel gives block devices no higher major number (`BLKDEV_MAJOR_MAX`).
    package static let highestMajor: UInt32 = 511
    /// There is no room for a higher one.
    package static let highestMinor: UInt32 = 8191

    /// - Returns: nil if there is no room for the number of the device.
    package init?(_ kind: Kind, _ device: DeviceNumber) {
        guard device.major <= Self.highestMajor, device.minor <= Self.highestMinor else {
            return nil
        }
        self.kind = kind
        self.device = device
    }

    /// - Returns: nil if the node is something else.
    package init?(_ node: NodeID) {
        let file = node.file
        guard file < 4096, let kind = Kind(rawValue: file & ~1023) else { return nil }
        self.kind = kind
        device = DeviceNumber(
            major: (file & 1023) >> 1, minor: (file & 1) << 12 | UInt32(node.cpu))
    }

    package func node(slot: UInt32) -> NodeID {
        NodeID(
            slot: slot, cpu: Int(device.minor & 0xfff),
            file: kind.rawValue + (device.major << 1 | device.minor >> 12))
    }

    /// The name of the directory: `8:0`.
    package var directoryName: String { "\(device.major):\(device.minor)" }
}
