import Cgroups
import KernelText

/// What a container has read from block devices and written to them, in bytes, each byte once.
public struct Transfers: Equatable, Sendable {
    public var read: UInt64 = 0
    public var written: UInt64 = 0

    public init() {}

    /// Adds up all devices but those that hand everything on to others: the device mapper's and
    /// RAID. The kernel counts a request where it is made (`submit_bio` in block/blk-core.c),
    /// the cgroup on every device that it comes to.
    ///
    /// - Parameter text: the host's `/proc/diskstats`, which has the names.
    public init(_ counters: [IOCounters], diskstats text: Bytes) {
        if counters.isEmpty { return }
        var lines = Scanner(text)
        while let line = lines.line() {
            var words = Scanner(line)
            guard let device = words.diskstatsDevice(), let name = words.word(),
                !name.starts(with: "dm-"), !name.starts(with: "md"),
                let own = counters.first(where: { $0.device == device })
            else { continue }
            read = clampedSum(read, own.readBytes)
            written = clampedSum(written, own.writtenBytes)
        }
    }
}
