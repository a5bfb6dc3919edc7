/// As `3d4h`, `4h5m`, `5m6s` or `6s`.
///
/// - Parameter seconds: less than a second, and what is no number, counts as none.
public func duration(_ seconds: Double) -> String {
    let whole = Int(clamping: Int64(min(max(seconds.isNaN ? 0 : seconds, 0), 1e15)))
    let (days, hours, minutes) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60)
    if days > 0 { return "\(days)d\(hours)h" }
    if hours > 0 { return "\(hours)h\(minutes)m" }
    return minutes > 0 ? "\(minutes)m\(whole % 60)s" : "\(whole)s"
}

/// An amount of memory in four or five columns: `512K`, `256M`, `9999M`, `10G`. Rounded down.
public func size(_ bytes: UInt64) -> String {
    if bytes < 1 << 20 { return "\(bytes >> 10)K" }
    if bytes < 10 << 30 { return "\(bytes >> 20)M" }
    return bytes < 10 << 40 ? "\(bytes >> 30)G" : "\(bytes >> 40)T"
}

/// With so many digits after the point, rounded to the nearest; not in the manner of any language.
///
/// - Parameter digits: 0 to 3.
func decimal(_ value: Double, digits: Int) -> String {
    let scale = [1.0, 10, 100, 1000][min(max(digits, 0), 3)]
    let scaled = (value * scale).rounded()
    guard scaled.isFinite, abs(scaled) < 1e15 else { return "-" }
    let units = Int64(abs(scaled))
    let whole = units / Int64(scale)
    let sign = scaled < 0 ? "-" : ""
    if digits == 0 { return "\(sign)\(whole)" }
    let rest = String(units % Int64(scale))
    let zeros = String(repeating: "0", count: max(digits - rest.count, 0))
    return "\(sign)\(whole).\(zeros)\(rest)"
}
