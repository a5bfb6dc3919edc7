import KernelText

/// `/proc/swaps` of a container (proc_swaps(5)): the kernel's heading, and one line for all
/// the swap that it may use. Which devices that is on is the host's business.
public func renderSwaps(_ view: MemoryView, host text: Bytes, into out: TextBuffer) {
    var lines = Scanner(text)
    if let heading = lines.line() {
        out.append(heading)
        out.append(newline)
    }
    guard view.swapTotal > 0 else { return }
    out.append("none")
    out.append(space, times: 36)
    out.append("virtual\t\t")
    out.append(number: view.swapTotal / 1024)
    out.append("\t\t")
    out.append(number: view.swapUsed / 1024)
    out.append("\t\t0\n")
}
