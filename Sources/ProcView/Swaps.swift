import KernelText

/// `/proc/swaps` of a container (proc_swaps(5)): the kernel's heading, and one line for all
/// the swap that it may use. Which devices that is on is the host's business; a device is what
/// the kernel would name there (`swap_show()` in mm/swapfile.c).
public func renderSwaps(_ view: MemoryView, host text: Bytes, into out: TextBuffer) {
    var lines = Scanner(text)
    if let heading = lines.line() {
        out.append(heading)
        out.append(newline)
    }
    guard view.swapTotal > 0 else { return }
    out.append("/dev/swap")
    out.append(space, times: 31)
    out.append("partition\t")
    append(view.swapTotal / 1024, to: out)
    append(view.swapUsed / 1024, to: out)
    out.append("-2\n")
}

/// A number of seven digits or less is followed by one more tabulator.
private func append(_ kilobytes: UInt64, to out: TextBuffer) {
    out.append(number: kilobytes)
    out.append(kilobytes < 10_000_000 ? "\t\t" : "\t")
}
