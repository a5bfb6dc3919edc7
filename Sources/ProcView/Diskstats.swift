import Cgroups
import KernelText

/// `/proc/diskstats` of a container (Documentation/admin-guide/iostats.rst): the host's
/// devices with the container's own operations and sectors; times, merges and requests in
/// flight are not counted per cgroup and are 0.
public func renderDiskstats(
    _ counters: [IOCounters], host text: Bytes, into out: TextBuffer
) {
    var lines = Scanner(text)
    while let line = lines.line() {
        var words = Scanner(line)
        guard let device = words.diskstatsDevice(), words.word() != nil else { continue }
        let own = counters.first { $0.device == device }
        out.append(line.part(0..<words.position))
        var column = 0
        while words.word() != nil {
            out.append(space)
            out.append(number: own.map { diskstatsColumn(column, of: $0) } ?? 0)
            column += 1
        }
        out.append(newline)
    }
}

/// The value of a column after the device name, counted from 0. Sectors are 512 bytes.
func diskstatsColumn(_ column: Int, of counters: IOCounters) -> UInt64 {
    switch column {
    case 0: counters.reads
    case 2: counters.readBytes / 512
    case 4: counters.writes
    case 6: counters.writtenBytes / 512
    case 11: counters.discards
    case 13: counters.discardedBytes / 512
    default: 0
    }
}
