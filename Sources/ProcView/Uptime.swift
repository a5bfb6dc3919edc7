import KernelText

/// `/proc/uptime` of a container (proc_uptime(5)): seconds since its first process started, or
/// since the boot of its own time namespace; and seconds that its CPUs were idle, summed over them.
public func renderUptime(uptime: UInt64, idle: UInt64, into out: TextBuffer) {
    let hundredth: UInt64 = 10_000_000
    out.append(hundredths: uptime / hundredth)
    out.append(space)
    out.append(hundredths: idle / hundredth)
    out.append(newline)
}

/// The host's own `/proc/uptime` as a process in another time namespace reads it: CPU time is the
/// same in all of them.
///
/// - Parameters:
///   - uptime: nanoseconds since the boot of that namespace.
///   - text: the host's file.
public func renderHostUptime(uptime: UInt64, host text: Bytes, into out: TextBuffer) {
    var words = Scanner(text)
    guard words.word() != nil, let idle = words.word() else { return out.append(text) }
    out.append(hundredths: uptime / 10_000_000)
    out.append(space)
    out.append(idle)
    out.append(newline)
}
