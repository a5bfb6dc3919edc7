import Cgroups
import KernelText

/// Files below `/sys/devices/system/cpu` that depend on which CPUs are online, as if those that
/// the container does not see were offline. CPUs keep the kernel's numbers.
public enum CPUTopology {
    /// What the content of a file is, judged by its name.
    public enum Content: Sendable {
        /// Nothing about which CPUs are online: as the host has it.
        case plain
        /// Whether this CPU is online: `1`, or `0`.
        case online
        /// How far this CPU has come up: 0 (`CPUHP_OFFLINE`) of one that is offline.
        case hotplugState
        /// A CPU list: `0-3`.
        case list
        /// A CPU mask in hexadecimal: `f`, `ffffffff,00000000`.
        case mask
        /// CPU numbers with a space between: `0 1 2 3`. EBUSY if there are none.
        case numbers
    }

    /// The kind of a file.
    ///
    /// - Parameters:
    ///   - path: below `cpuN`, or `cpu`.
    ///   - perCPU: it is below `cpuN`.
    public static func content(ofFile path: String, perCPU: Bool) -> Content {
        let name = path.split(separator: "/").last ?? ""
        // The other lists of cpufreq do not depend on which CPUs are online.
        if name == "affected_cpus" { return .numbers }
        guard perCPU else { return .plain }
        switch path {
        case "online": return .online
        case "hotplug/state", "hotplug/target": return .hotplugState
        default: break
        }
        if name.hasSuffix("_cpus_list") || name.hasSuffix("_siblings_list")
            || name == "shared_cpu_list"
        {
            return .list
        }
        if name.hasSuffix("_cpus") || name.hasSuffix("_siblings") || name == "shared_cpu_map" {
            return .mask
        }
        return .plain
    }

    /// How much of a `cpuN` there is.
    public enum Extent: Int, Comparable, Sendable {
        /// Of any CPU: what the kernel leaves of one that is offline. It removes `topology` and
        /// `cache` (drivers/base/topology.c, drivers/base/cacheinfo.c).
        case offline
        /// Of a CPU that may run the container, though it is not visible: also where it lies.
        case usable
        /// Of a visible CPU: also what it shares with other visible ones.
        case visible

        public static func < (left: Self, right: Self) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    /// The least extent with which a file or directory of a `cpuN` is there.
    ///
    /// - Parameter path: below `cpuN`.
    public static func extent(ofFile path: String) -> Extent {
        switch path.prefix(while: { $0 != "/" }) {
        case "cache": return .visible
        case "topology":
            let content = content(ofFile: path, perCPU: true)
            return content == .list || content == .mask ? .visible : .usable
        default: return .offline
        }
    }

    /// The file `offline`: the possible CPUs that are not online, and, behind a comma, those
    /// that the kernel has no room for (`print_cpus_offline` in drivers/base/cpu.c).
    ///
    /// - Parameters:
    ///   - text: the host's `offline`.
    ///   - possible: the possible CPUs.
    public static func renderOffline(
        host text: Bytes, possible: CPUList, visible: CPUList, into out: TextBuffer
    ) {
        let start = out.count
        out.append(
            string: CPUList(possible.cpus.filter { !visible.contains($0) }).text)
        let text = text.trimmed
        var last = text.count
        while last > 0, text[last - 1] != UInt8(ascii: ",") { last -= 1 }
        let tail = text.part(last..<text.count)
        if let first = CPUList(parsing: tail)?.cpus.first, first > possible.cpus.last ?? 0 {
            // Newer kernels write the comma even if nothing is before it.
            if out.count > start || last > 0 { out.append(UInt8(ascii: ",")) }
            out.append(tail)
        }
        out.append(newline)
    }

    /// A CPU list of the host, reduced to the visible CPUs.
    public static func renderList(host text: Bytes, visible: CPUList, into out: TextBuffer) {
        let members = CPUList(parsing: text) ?? CPUList([])
        out.append(string: members.intersection(visible).text)
        out.append(newline)
    }

    /// CPU numbers of the host, reduced to the visible CPUs.
    ///
    /// - Returns: false if there are none.
    public static func renderNumbers(
        host text: Bytes, visible: CPUList, into out: TextBuffer
    ) -> Bool {
        var words = Scanner(text)
        var isFirst = true
        while let word = words.word() {
            guard let cpu = parseNumber(word), visible.contains(Int(clamping: cpu)) else {
                continue
            }
            if !isFirst { out.append(space) }
            isFirst = false
            out.append(number: cpu)
        }
        out.append(newline)
        return !isFirst
    }

    /// A CPU mask of the host, reduced to the visible CPUs, in as many digits.
    public static func renderMask(host text: Bytes, visible: CPUList, into out: TextBuffer) {
        let text = text.trimmed
        var digits: [UInt8] = []
        for byte in text where byte != UInt8(ascii: ",") { digits.append(hexValue(byte)) }
        digits.reverse()
        func isSet(_ cpu: Int) -> Bool {
            cpu / 4 < digits.count && digits[cpu / 4] & (1 << UInt8(cpu % 4)) != 0
        }
        var result = [UInt8](repeating: 0, count: digits.count)
        for cpu in visible.cpus where isSet(cpu) {
            result[cpu / 4] |= 1 << UInt8(cpu % 4)
        }
        for byte in text {
            if byte == UInt8(ascii: ",") {
                out.append(byte)
            } else if let digit = result.popLast() {
                out.append(digit < 10 ? 48 + digit : 87 + digit)
            }
        }
        out.append(newline)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: 0
        }
    }
}
