/// What sysinfo(2) tells a container: the facts of `/proc/meminfo`, `/proc/uptime` and
/// `/proc/loadavg` in one structure.
///
/// `free + Cached of meminfo <= total`, as busybox `free` subtracts the one from the other.
/// `bufferram` is 0, like `Buffers` of meminfo.
public struct Sysinfo: Equatable, Sendable {
    /// Nanoseconds, as in `/proc/uptime`.
    public var uptime: UInt64 = 0
    /// 1, 5 and 15 minutes, in fixed point with 11 bits as ``LoadAverage`` has them.
    public var loads: (UInt64, UInt64, UInt64) = (0, 0, 0)
    /// In bytes, as all that follow.
    public var totalRAM: UInt64 = 0
    public var freeRAM: UInt64 = 0
    public var sharedRAM: UInt64 = 0
    public var totalSwap: UInt64 = 0
    public var freeSwap: UInt64 = 0
    /// Threads of the container, as in the fourth field of `/proc/loadavg`.
    public var threads: Int = 0

    public init() {}

    public init(
        _ view: MemoryView, uptime: UInt64, load: LoadAverage, threads: Int
    ) {
        self.uptime = uptime
        loads = (load.values[0], load.values[1], load.values[2])
        totalRAM = view.total
        freeRAM = view.free
        sharedRAM = view.shmem
        totalSwap = view.swapTotal
        freeSwap = view.swapFree
        self.threads = threads
    }

    public static func == (left: Sysinfo, right: Sysinfo) -> Bool {
        left.uptime == right.uptime && left.loads == right.loads
            && left.totalRAM == right.totalRAM && left.freeRAM == right.freeRAM
            && left.sharedRAM == right.sharedRAM && left.totalSwap == right.totalSwap
            && left.freeSwap == right.freeSwap && left.threads == right.threads
    }
}

extension Sysinfo {
    /// The largest ``SysinfoLayout/size``.
    public static let largestSize = 112

    /// Writes the structure in the byte order of this machine, padding zeroed.
    ///
    /// - Parameters:
    ///   - pageSize: a power of two: the unit of sizes that do not fit into 4 bytes
    ///     otherwise, as in the kernel's `compat_sys_sysinfo`.
    ///   - out: at least `layout.size` bytes.
    public func write(
        _ layout: SysinfoLayout, pageSize: UInt64, to out: UnsafeMutableRawBufferPointer
    ) {
        var writer = Writer(out: out, isWide: layout == .wide)
        var shift: UInt64 = 0
        if layout == .narrow, max(totalRAM, totalSwap) > UInt64(UInt32.max) {
            while UInt64(1) << shift < max(pageSize, 1) { shift += 1 }
        }
        // The kernel counts a second that has begun as a whole one.
        writer.signed(uptime / 1_000_000_000 + (uptime % 1_000_000_000 > 0 ? 1 : 0))
        // Fixed point with 16 bits.
        writer.long(loads.0 << 5)
        writer.long(loads.1 << 5)
        writer.long(loads.2 << 5)
        writer.long(totalRAM >> shift)
        writer.long(freeRAM >> shift)
        writer.long(sharedRAM >> shift)
        writer.long(0)
        writer.long(totalSwap >> shift)
        writer.long(freeSwap >> shift)
        writer.integer(UInt16(clamping: threads))
        writer.integer(UInt16(0))
        writer.align()
        writer.long(0)
        writer.long(0)
        writer.integer(UInt32(1) << UInt32(shift))
        while writer.position < layout.size { writer.integer(UInt8(0)) }
    }

    private struct Writer {
        let out: UnsafeMutableRawBufferPointer
        let isWide: Bool
        var position = 0

        mutating func integer<Value: FixedWidthInteger>(_ value: Value) {
            out.storeBytes(of: value, toByteOffset: position, as: Value.self)
            position += MemoryLayout<Value>.size
        }

        mutating func long(_ value: UInt64) {
            if isWide { integer(value) } else { integer(UInt32(clamping: value)) }
        }

        mutating func signed(_ value: UInt64) {
            if isWide {
                integer(Int64(clamping: value))
            } else {
                integer(Int32(clamping: value))
            }
        }

        mutating func align() {
            let unit = isWide ? 8 : 4
            while position % unit != 0 { integer(UInt8(0)) }
        }
    }
}
