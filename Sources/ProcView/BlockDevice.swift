import Cgroups
import KernelText
import Syscalls

/// Files of a block device below `/sys` for a container. They say the same as its line of
/// `/proc/diskstats`.
public enum BlockDevice {
    /// The file `stat` (Documentation/block/stat.rst): the columns of `/proc/diskstats` behind
    /// the name, each in 8 columns (`part_stat_show` in block/genhd.c).
    ///
    /// - Parameters:
    ///   - counters: what the container did with each device.
    ///   - text: the host's `/proc/diskstats`.
    /// - Returns: false if the host has no such device.
    public static func renderStat(
        _ device: DeviceNumber, _ counters: [IOCounters], diskstats text: Bytes,
        into out: TextBuffer
    ) -> Bool {
        guard var columns = columns(of: device, diskstats: text) else { return false }
        let own = counters.first { $0.device == device }
        var column = 0
        while columns.word() != nil {
            if column > 0 { out.append(space) }
            out.append(number: own.map { diskstatsColumn(column, of: $0) } ?? 0, width: 8)
            column += 1
        }
        out.append(newline)
        return true
    }

    /// The file `inflight`: reads and writes that are under way, which are not counted per cgroup
    /// (`part_inflight_show` in block/genhd.c).
    public static func renderInflight(into out: TextBuffer) {
        out.append("       0        0\n")
    }

    /// Whether the host has the device.
    public static func exists(_ device: DeviceNumber, diskstats text: Bytes) -> Bool {
        columns(of: device, diskstats: text) != nil
    }

    /// All devices of the host, partitions too.
    public static func all(diskstats text: Bytes) -> [DeviceNumber] {
        var devices: [DeviceNumber] = []
        var lines = Scanner(text)
        while let line = lines.line() {
            var words = Scanner(line)
            if let device = words.diskstatsDevice() { devices.append(device) }
        }
        return devices
    }

    /// What is behind the name of a device.
    private static func columns(of device: DeviceNumber, diskstats text: Bytes) -> Scanner? {
        var lines = Scanner(text)
        while let line = lines.line() {
            var words = Scanner(line)
            if words.diskstatsDevice() == device, words.word() != nil { return words }
        }
        return nil
    }
}
