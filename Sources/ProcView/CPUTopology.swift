import Cgroups
import KernelText

/// Files below `/sys/devices/system/cpu` that name CPUs, in a container's own numbering.
public enum CPUTopology {
    /// What the content of a file is, judged by its name.
    public enum Content: Sendable {
        /// Nothing about CPU numbers: as the host has it.
        case plain
        /// A CPU list: `0-3`.
        case list
        /// A CPU mask in hexadecimal: `f`, `ffffffff,00000000`.
        case mask
    }

    /// The kind of a file of `cpuN/topology` or `cpuN/cache/indexN`.
    public static func content(ofFile name: String) -> Content {
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

    /// A CPU list of the host, reduced to the visible CPUs and renumbered.
    public static func renderList(host text: Bytes, visible: CPUList, into out: TextBuffer) {
        let members = CPUList(parsing: text) ?? CPUList([])
        out.append(string: CPUList(members.cpus.compactMap(visible.index(of:))).text)
        out.append(newline)
    }

    /// A CPU mask of the host, reduced to the visible CPUs and renumbered, in as many digits.
    public static func renderMask(host text: Bytes, visible: CPUList, into out: TextBuffer) {
        let text = text.trimmed
        var digits: [UInt8] = []
        for byte in text where byte != UInt8(ascii: ",") { digits.append(hexValue(byte)) }
        digits.reverse()
        func isSet(_ cpu: Int) -> Bool {
            cpu / 4 < digits.count && digits[cpu / 4] & (1 << UInt8(cpu % 4)) != 0
        }
        var result = [UInt8](repeating: 0, count: digits.count)
        for (number, cpu) in visible.cpus.enumerated() where isSet(cpu) {
            result[number / 4] |= 1 << UInt8(number % 4)
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
