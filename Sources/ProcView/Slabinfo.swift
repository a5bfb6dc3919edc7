import KernelText

/// `/proc/slabinfo` of a container (slabinfo(5)): the kernel's caches with the counts 0,
/// because the kernel does not count them per cgroup.
public func renderSlabinfo(host text: Bytes, into out: TextBuffer) {
    var lines = Scanner(text)
    while let line = lines.line() {
        // "slabinfo - version: 2.1" and "# name ..."
        if line.starts(with: "slabinfo") || line.starts(with: "#") {
            out.append(line)
        } else {
            renderCache(line, into: out)
        }
        out.append(newline)
    }
}

/// `name active objects size perslab pages : tunables a b c : slabdata active slabs shared`,
/// in the layout of the kernel's `cache_show`.
private func renderCache(_ line: Bytes, into out: TextBuffer) {
    var words = Scanner(line)
    var column = 0
    var end = 0
    while let word = words.word() {
        let start = words.position - word.count
        let count = column == 1 || column == 2 || column >= 12
        out.append(line.part(end..<start))
        if count, parseNumber(word) != nil {
            // Right-aligned like the number it stands for.
            out.append(number: 0, width: word.count)
        } else {
            out.append(word)
        }
        end = words.position
        column += 1
    }
}
