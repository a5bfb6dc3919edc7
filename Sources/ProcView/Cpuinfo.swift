import Cgroups
import KernelText

/// `/proc/cpuinfo` of a container: the host's blocks of the visible CPUs, with the kernel's
/// numbers, as if all others were offline.
///
/// `siblings` and `cpu cores` count the visible CPUs and cores of the package only, as the
/// kernel counts those that are online.
public struct Cpuinfo {
    /// The kernel's numbers of the visible CPUs.
    public let visible: CPUList

    public init(visible: CPUList) { self.visible = visible }

    /// - Parameter text: the host's `/proc/cpuinfo`.
    public func render(host text: Bytes, into out: TextBuffer) {
        let topology = Topology(text, visible)
        var blocks = BlockScanner(text)
        let start = out.count
        while let block = blocks.next() {
            let cpu = processor(of: block)
            let index = cpu.flatMap(visible.index(of:))
            if cpu != nil, index == nil { continue }
            if out.count > start { out.append(newline) }
            if let index {
                render(block, index, topology, into: out)
            } else {
                // arm ends with a block about the machine, s390x begins with one.
                render(header: block, into: out)
            }
        }
        // Most architectures end every block with an empty line, s390x begins them with it.
        if out.count > start, text.count >= 2, text[text.count - 2] == newline,
            text[text.count - 1] == newline
        {
            out.append(newline)
        }
    }

    /// - Parameter index: the position of the CPU in `visible`.
    private func render(
        _ block: Bytes, _ index: Int, _ topology: Topology, into out: TextBuffer
    ) {
        let (siblings, cores) = topology.counts(of: index)
        var lines = Scanner(block)
        while let line = lines.line() {
            let (name, valueStart) = split(line)
            let value: Int? =
                if name.equals("siblings") {
                    siblings
                } else if name.equals("cpu cores") {
                    cores
                } else {
                    nil
                }
            if let value {
                out.append(line.part(0..<valueStart))
                out.append(number: UInt64(value))
            } else {
                out.append(line)
            }
            out.append(newline)
        }
    }

    /// A block that is about no single CPU. On s390x it lists all of them:
    /// `# processors    : 4` and `processor 0: version = ...`.
    private func render(header block: Bytes, into out: TextBuffer) {
        var lines = Scanner(block)
        while let line = lines.line() {
            let (name, valueStart) = split(line)
            if name.equals("# processors") {
                out.append(line.part(0..<valueStart))
                out.append(number: UInt64(visible.count))
                out.append(newline)
                continue
            }
            if name.starts(with: "processor "),
                let cpu = parseNumber(name.part(10..<name.count))
            {
                guard visible.contains(Int(clamping: cpu)) else { continue }
            }
            out.append(line)
            out.append(newline)
        }
    }
}

/// How many visible CPUs and cores share a package with each visible CPU.
private struct Topology {
    private var packages: [Int?]
    private var cores: [Int?]

    init(_ text: Bytes, _ visible: CPUList) {
        packages = Array(repeating: nil, count: visible.count)
        cores = packages
        var blocks = BlockScanner(text)
        while let block = blocks.next() {
            guard let cpu = processor(of: block), let index = visible.index(of: cpu) else {
                continue
            }
            var lines = Scanner(block)
            while let line = lines.line() {
                let (name, valueStart) = split(line)
                let value = { parseNumber(line.part(valueStart..<line.count)) }
                if name.equals("physical id") {
                    packages[index] = value().map { Int(clamping: $0) }
                } else if name.equals("core id") {
                    cores[index] = value().map { Int(clamping: $0) }
                    // "core id" is the last line that matters, and the long ones follow.
                    break
                }
            }
        }
    }

    /// - Parameter cpu: its position among the visible CPUs.
    func counts(of cpu: Int) -> (siblings: Int, cores: Int) {
        var siblings = 0
        var distinct = 0
        for index in packages.indices where packages[index] == packages[cpu] {
            siblings += 1
            let before = packages.indices.prefix(index)
            if !before.contains(where: {
                packages[$0] == packages[index] && cores[$0] == cores[index]
            }) {
                distinct += 1
            }
        }
        return (siblings, distinct)
    }
}

/// The parts of a cpuinfo that are separated by empty lines, without these.
private struct BlockScanner {
    private var scanner: Scanner

    init(_ text: Bytes) { scanner = Scanner(text) }

    mutating func next() -> Bytes? {
        var start: Int?
        while true {
            let position = scanner.position
            guard let line = scanner.line() else {
                return start.map { scanner.text.part($0..<scanner.text.count) }
            }
            if line.isEmpty {
                if let start { return scanner.text.part(start..<position) }
            } else if start == nil {
                start = position
            }
        }
    }
}

/// The number of the CPU that a block is about: its line `processor` (or, on s390x, `cpu
/// number`) comes first.
private func processor(of block: Bytes) -> Int? {
    var lines = Scanner(block)
    guard let line = lines.line() else { return nil }
    let (name, valueStart) = split(line)
    guard name.equals("processor") || name.equals("cpu number") else { return nil }
    return parseNumber(line.part(valueStart..<line.count)).map { Int(clamping: $0) }
}

/// Takes apart `name<blanks>: value`.
private func split(_ line: Bytes) -> (name: Bytes, valueStart: Int) {
    let colon = line.firstIndex(of: UInt8(ascii: ":"), from: 0)
    var end = colon
    while end > 0, line[end - 1] <= space { end -= 1 }
    return (line.part(0..<end), min(colon + 2, line.count))
}
