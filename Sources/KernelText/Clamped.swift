/// Subtraction that stops at zero: a limit may be below the usage.
@inlinable @inline(__always)
public func clampedDifference(_ a: UInt64, _ b: UInt64) -> UInt64 {
    a > b ? a - b : 0
}

/// Addition that stops at the largest value.
@inlinable @inline(__always)
public func clampedSum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
}
