import KernelText
import Syscalls

/// What a container has read from and written to one block device.
public struct IOCounters: Equatable, Sendable {
    public var device: DeviceNumber
    public var readBytes: UInt64 = 0
    public var writtenBytes: UInt64 = 0
    public var discardedBytes: UInt64 = 0
    public var reads: UInt64 = 0
    public var writes: UInt64 = 0
    public var discards: UInt64 = 0

    public init(device: DeviceNumber) { self.device = device }
}

extension [IOCounters] {
    /// - Parameter hint: where the device may be; where it was, afterwards. The kernel has what
    ///   belongs to one device together, and the devices of all files in one order: with it the
    ///   work grows with the devices and not with their square.
    @inline(__always)
    mutating func update(
        _ device: DeviceNumber, _ hint: inout Int, _ change: (inout IOCounters) -> Void
    ) {
        let near = hint..<Swift.min(hint + 2, count)
        let known =
            near.first { self[$0].device == device }
            ?? firstIndex { $0.device == device }
        if known == nil { append(IOCounters(device: device)) }
        hint = known ?? count - 1
        change(&self[hint])
    }

    /// Adds what an `io.stat` of cgroup v2 says:
    /// `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`.
    mutating func add(unified text: Bytes) {
        var hint = 0
        var lines = Scanner(text)
        while let line = lines.line() {
            var words = Scanner(line)
            guard let device = words.device() else { continue }
            while let word = words.word() {
                let equals = word.firstIndex(of: UInt8(ascii: "="), from: 0)
                guard equals < word.count,
                    let value = parseNumber(word.part(equals + 1..<word.count))
                else { continue }
                let name = word.part(0..<equals)
                update(device, &hint) { counters in
                    if name.equals("rbytes") {
                        counters.readBytes = value
                    } else if name.equals("wbytes") {
                        counters.writtenBytes = value
                    } else if name.equals("dbytes") {
                        counters.discardedBytes = value
                    } else if name.equals("rios") {
                        counters.reads = value
                    } else if name.equals("wios") {
                        counters.writes = value
                    } else if name.equals("dios") {
                        counters.discards = value
                    }
                }
            }
        }
    }

    /// Adds what a `blkio.*` file of cgroup v1 says: `8:0 Read 123` and so on.
    mutating func add(legacy text: Bytes, bytes: Bool) {
        var hint = 0
        var lines = Scanner(text)
        while let line = lines.line() {
            var words = Scanner(line)
            guard let device = words.device(), let kind = words.word(),
                let value = words.number()
            else { continue }
            update(device, &hint) { counters in
                if kind.equals("Read") {
                    if bytes { counters.readBytes = value } else { counters.reads = value }
                } else if kind.equals("Write") {
                    if bytes { counters.writtenBytes = value } else { counters.writes = value }
                } else if kind.equals("Discard") {
                    if bytes {
                        counters.discardedBytes = value
                    } else {
                        counters.discards = value
                    }
                }
            }
        }
    }
}

extension Scanner {
    /// `major:minor`.
    fileprivate mutating func device() -> DeviceNumber? {
        guard let major = number(), skip(UInt8(ascii: ":")), let minor = number() else {
            return nil
        }
        return DeviceNumber(
            major: UInt32(truncatingIfNeeded: major), minor: UInt32(truncatingIfNeeded: minor))
    }
}

extension ContainerCgroups {
    /// What the container did with each block device, in the order the kernel lists them.
    public func readIO(
        _ scratch: Scratch, into counters: inout [IOCounters]
    ) throws(SystemError) {
        counters.removeAll(keepingCapacity: true)
        guard let blkio else { return }
        if blkio.unified {
            if let text = try blkio.read(.ioBytes, scratch) { counters.add(unified: text) }
            return
        }
        // Which of the two counts depends on the I/O scheduler; the throttling layer is
        // below all of them, but since Linux 6.10 only counts when it is in use.
        for (bytes, count) in [
            (Attribute.ioBytes, Attribute.ioCount), (.ioBytesBFQ, .ioCountBFQ),
        ] {
            if let text = try blkio.read(bytes, scratch) {
                counters.add(legacy: text, bytes: true)
            }
            if let text = try blkio.read(count, scratch) {
                counters.add(legacy: text, bytes: false)
            }
            if !counters.isEmpty { return }
        }
    }
}
