/// The number by which the kernel and the daemon call a served file or directory.
///
/// It says by itself what it names, so that a new daemon process that takes over a
/// connection understands the numbers that the kernel remembers:
///
///     63    52 51         28 27             0
///     | cpu    | file - 1   | slot           |
///
/// with the CPU mixed into the slot, times an odd number, plus one. The kernel finds a file by
/// a hash in which the upper bits count for nothing (`hash()` in fs/inode.c). Without the
/// multiplication the same file of all containers can have the same hash, and each request
/// searches all of them.
package struct NodeID: Hashable, Sendable {
    package let raw: UInt64

    package init(raw: UInt64) { self.raw = raw }

    package init(slot: UInt32, cpu: Int = 0, file: UInt32) {
        let cpu = UInt64(cpu & 0xfff)
        let file = UInt64(file &- 1 & 0xff_ffff)
        let low = UInt64(slot & Self.slotMask) ^ cpu << 16
        raw = (cpu << 52 | file << 28 | low) &* Self.factor &+ 1
    }

    private static let slotMask: UInt32 = 0xfff_ffff
    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15
    /// `factor * inverse` is 1 in 64 bits.
    private static let inverse: UInt64 = 0xf1de_83e1_9937_733d

    private var packed: UInt64 { (raw &- 1) &* Self.inverse }

    /// Which container; 0 is the caller's own.
    package var slot: UInt32 {
        UInt32(truncatingIfNeeded: packed ^ (packed >> 52) << 16) & Self.slotMask
    }
    /// The kernel's number of the CPU, for files below a `cpuN`.
    package var cpu: Int { Int(packed >> 52) }
    /// A ``FixedNode`` or the number of a ``CPUCatalog`` entry.
    package var file: UInt32 { UInt32(packed >> 28 & 0xff_ffff) &+ 1 }

    /// The same file of another CPU or container has the same key within its container.
    package var keyInContainer: UInt64 { packed >> 28 }

    /// What programs are told (`st_ino`). In 32 bits as in procfs and sysfs: a 32-bit program
    /// that uses stat(2) as it was before large files gets EOVERFLOW for a longer one.
    package var inode: UInt64 {
        max((raw >> 32) ^ (raw & 0xffff_ffff), 1)
    }

    /// There is room for no higher number: the directories of further CPUs are not there.
    package static let highestCPU = 0xfff

    package static let highestSlot: UInt32 = 1 << 28 - 1
}
