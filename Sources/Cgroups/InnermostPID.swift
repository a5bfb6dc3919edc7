import Glibc
import KernelText
import Syscalls

/// The number of a thread in its own, innermost pid namespace: the last field of `NSpid` in
/// `/proc/<pid>/status`.
public func innermostPID(
    _ task: Int32, _ proc: borrowing FileDescriptor, _ scratch: Scratch
) -> Int? {
    guard let file = try? proc.open(at: "\(task)/status"),
        let text = try? scratch.read(file.raw, single: true)
    else { return nil }
    var lines = Scanner(text)
    while let line = lines.line() {
        guard line.starts(with: "NSpid:") else { continue }
        var words = Scanner(line.part(6..<line.count))
        var last: UInt64?
        while let number = words.number() { last = number }
        return last.map { Int(clamping: $0) }
    }
    return nil
}
