import Glibc
import KernelText
import Syscalls

/// The block devices of this machine of which a container would see what others do with them.
struct BlockDevices {
    /// Where the counters of each are. Paths of sysfs lead to a device by symbolic links
    /// (`/sys/block`, `/sys/dev/block`), these are those of the device itself: a mount there
    /// covers all of them.
    let targets: [Target]

    /// More would make the container's start slow, each takes some 0.2 ms, and its table of mounts
    /// long.
    static let most = 32

    /// Finds the devices whose counters are not 0. Those of the others say nothing yet, and
    /// machines have many of them (loop devices, RAM disks).
    ///
    /// What cannot be read is passed over: a container starts without it.
    ///
    /// - Parameters:
    ///   - proc: a procfs.
    ///   - sys: a sysfs.
    init(proc: String = "/proc", sys: String = "/sys") {
        guard let text = try? readFile(proc + "/diskstats", limit: 1 << 20),
            let links = try? FileDescriptor.open(sys + "/dev/block", O_PATH | O_DIRECTORY)
        else {
            targets = []
            return
        }
        let numbers = text.withUnsafeBufferPointer(Self.used).prefix(Self.most)
        targets = numbers.flatMap { number -> [Target] in
            guard let path = (try? links.readLink(at: number)).flatMap(Self.path(ofLink:))
            else { return [] }
            return ["stat", "inflight"].map {
                Target(.sys, parent: path, name: $0, servedIn: "/sys/dev/block/\(number)")
            }
        }
    }

    /// The numbers of the devices that have been used, `8:0`. Loop devices, of which some machines
    /// have dozens, come last.
    private static func used(diskstats text: Bytes) -> [String] {
        var numbers: [String] = []
        var loops: [String] = []
        var lines = Scanner(text)
        while let line = lines.line() {
            guard let number = numberIfUsed(line) else { continue }
            if number.hasPrefix("7:") { loops.append(number) } else { numbers.append(number) }
        }
        return numbers + loops
    }

    /// `8:0` of a line of `/proc/diskstats` that has a number other than 0.
    private static func numberIfUsed(_ line: Bytes) -> String? {
        var words = Scanner(line)
        guard let major = words.number(), let minor = words.number(), words.word() != nil
        else { return nil }
        while let value = words.number() {
            if value > 0 { return "\(major):\(minor)" }
        }
        return nil
    }

    /// The path below sysfs that a link in `/sys/dev/block` leads to; nil if it is none of the
    /// kernel's.
    private static func path(ofLink link: String) -> String? {
        let start = "../../devices/"
        guard link.hasPrefix(start), !link.dropFirst(start.count).contains("..") else {
            return nil
        }
        return String(link.dropFirst("../../".count))
    }
}
