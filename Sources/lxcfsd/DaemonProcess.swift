import Glibc
import Reports
import Syscalls

/// What procfs says of a process of the daemon.
enum DaemonProcess {
    /// - Returns: nil if that is no process of lxcfsd: it has ended meanwhile, or is in another pid
    ///   namespace.
    static func figures(_ pid: Int32, role: String) -> ProcessFigures? {
        guard let text = try? readFile("/proc/\(pid)/stat") else { return nil }
        var figures = ProcessFigures(role: role)
        // The name is in parentheses, and may have some itself.
        guard let open = text.firstIndex(of: UInt8(ascii: "(")),
            let close = text.lastIndex(of: UInt8(ascii: ")")), open < close,
            String(decoding: text[(open + 1)..<close], as: UTF8.self).hasPrefix("lxcfsd")
        else { return nil }
        let fields = text[(close + 1)...].split(whereSeparator: { $0 <= 32 })
            .map { String(decoding: $0, as: UTF8.self) }
        func number(_ field: Int) -> UInt64? {
            // proc_pid_stat(5) counts from 1; the first one behind the name is 3.
            field - 3 < fields.count ? UInt64(fields[field - 3]) : nil
        }
        if let user = number(14), let system = number(15) {
            figures.cpu =
                (Double(user) + Double(system)) * Double(Clock.nanosecondsPerTick) / 1e9
        }
        figures.threads = number(20)
        figures.residentMemory = number(24).map {
            $0.multipliedReportingOverflow(by: pageSize).partialValue
        }
        figures.openDescriptors = descriptors("/proc/\(pid)/fd")
        figures.mostDescriptors = (try? readFile("/proc/\(pid)/limits")).flatMap(limit)
        return figures
    }

    private static let pageSize = UInt64(max(sysconf(CInt(_SC_PAGESIZE)), 1))

    private static func descriptors(_ path: String) -> UInt64? {
        let directory = try? FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
        guard let directory, let items = try? directory.list() else { return nil }
        return UInt64(items.count)
    }

    /// The soft limit of the line "Max open files".
    private static func limit(_ text: [UInt8]) -> UInt64? {
        let line = text.split(separator: UInt8(ascii: "\n"))
            .first { $0.starts(with: "Max open files".utf8) }
        let words = line?.dropFirst("Max open files".utf8.count).split(separator: 32) ?? []
        return words.first.flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
    }
}
