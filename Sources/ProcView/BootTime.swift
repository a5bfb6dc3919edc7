/// `btime` of `/proc/stat` in a time namespace of its own: when its clock since boot was 0, in
/// seconds since 1970.
///
/// As the kernel makes it (fs/proc/stat.c, `timens_sub_boottime`): the moment of the host's boot
/// less what the namespace adds to the clock since boot, rounded down. The result need not be
/// after 1970; then the kernel writes the negative number as an unsigned one, and so does this.
public struct BootTime: Equatable, Sendable {
    /// What the namespace adds to the host's clock since boot, in nanoseconds.
    public let offset: Int64
    /// Nanoseconds since 1970, and since the host's boot, at one moment.
    public let realtime: UInt64
    public let boottime: UInt64

    public init(offset: Int64, realtime: UInt64, boottime: UInt64) {
        self.offset = offset
        self.realtime = realtime
        self.boottime = boottime
    }

    /// - Parameter host: `btime` of the host.
    public func seconds(host: UInt64) -> UInt64 {
        let second: Int64 = 1_000_000_000
        let start = Int64(clamping: host)
        let (whole, overflow) = start.multipliedReportingOverflow(by: second)
        let (end, carry) = whole.addingReportingOverflow(second - 1)
        guard !overflow, !carry else { return host }
        // The two clocks are not read at one moment: what they say is right but for less than a
        // microsecond, which must not lead into another second than the kernel's.
        let read = Int64(clamping: realtime) - Int64(clamping: boottime)
        let boot = min(max(read, whole), end)
        let (shifted, underflow) = boot.subtractingReportingOverflow(offset)
        guard !underflow else { return host }
        let seconds = shifted / second - (shifted % second < 0 ? 1 : 0)
        return UInt64(bitPattern: seconds)
    }
}
