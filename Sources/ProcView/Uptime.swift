import KernelText

/// `/proc/uptime` of a container (proc_uptime(5)): seconds since its first process started,
/// and seconds that its CPUs were idle, summed over them.
public func renderUptime(age: UInt64, idle: UInt64, into out: TextBuffer) {
    let hundredth: UInt64 = 10_000_000
    out.append(hundredths: age / hundredth)
    out.append(space)
    out.append(hundredths: idle / hundredth)
    out.append(newline)
}
