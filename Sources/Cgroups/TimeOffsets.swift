import KernelText

/// What a time namespace adds to the clocks of the machine (`/proc/<pid>/timens_offsets`,
/// time_namespaces(7)), in nanoseconds.
public struct TimeOffsets: Equatable, Sendable {
    public let monotonic: Int64
    public let boottime: Int64

    /// - Returns: nil if a clock is missing, or its offset is none that the kernel takes.
    public init?(parsing text: Bytes) {
        var monotonic: Int64?
        var boottime: Int64?
        var lines = Scanner(text)
        while let line = lines.line() {
            var words = Scanner(line)
            guard let clock = words.word() else { continue }
            if clock.equals("monotonic") {
                monotonic = Self.offset(&words)
            } else if clock.equals("boottime") {
                boottime = Self.offset(&words)
            }
        }
        guard let monotonic, let boottime else { return nil }
        self.monotonic = monotonic
        self.boottime = boottime
    }

    /// Seconds, which may be negative, and the nanoseconds that are added to them.
    private static func offset(_ words: inout Scanner) -> Int64? {
        words.skipBlanks()
        let isNegative = words.skip(UInt8(ascii: "-"))
        guard let number = words.number(), let nanoseconds = words.number(),
            nanoseconds < 1_000_000_000, let magnitude = Int64(exactly: number)
        else { return nil }
        let seconds = isNegative ? -magnitude : magnitude
        let (product, high) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(Int64(nanoseconds))
        return high || carry ? nil : sum
    }
}
