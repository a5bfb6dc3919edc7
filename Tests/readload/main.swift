// Reads virtual files on several threads for as long as it is let, and says what it saw:
//
//     readload [--padded] THREADS SECONDS FILE[=TEXT] ...
//
// Each content must be one that a strict parser of the kernel's file accepts (Tests/grammar), and
// have the shape of the first one of its file: the same number of lines, each with the same first
// word, whole, and with TEXT in it if that is given. A file after a ~ may change its shape; one
// after a @ gives one moment for each open. With --padded lines may end with spaces, as release 0.1.0
// has it. Files are read whole, in small pieces, and again from
// the start through a descriptor that stays open.
// Ends at SIGTERM, or after SECONDS; the exit code is 0 if no read failed or was wrong.

import Glibc
import KernelGrammar
import Synchronization

struct File: Sendable {
    let path: String
    let text: [UInt8]
    /// Reading in pieces only gives one moment where each open is a snapshot.
    let isSnapshot: Bool
    let keepsShape: Bool
    let grammar: FileGrammar?

    /// As on the command line.
    init(_ word: String) {
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        var path = parts[0][...]
        isSnapshot = path.first == "@"
        if isSnapshot { path.removeFirst() }
        keepsShape = path.first != "~"
        if !keepsShape { path.removeFirst() }
        self.path = String(path)
        text = parts.count > 1 ? Array(parts[1].utf8) : []
        grammar = FileGrammar.of(path: self.path)
    }

    private static func withoutPadding(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        for byte in bytes {
            if byte == 10 { while text.last == 32 { text.removeLast() } }
            text.append(byte)
        }
        return text
    }

    /// What is wrong with a content; nil if nothing is.
    func fault(in bytes: ArraySlice<UInt8>) -> String? {
        if let grammar {
            if acceptsPadding {
                return Self.withoutPadding(bytes).withUnsafeBufferPointer(grammar.fault)
            }
            return bytes.withUnsafeBufferPointer(grammar.fault)
        }
        return bytes.last != 10 || bytes.contains(0) ? "not whole" : nil
    }
}

struct Tally {
    var reads = 0
    var failed = 0
    var wrong = 0
    var longest: UInt64 = 0
    var complaints: [String] = []

    mutating func add(_ other: Tally) {
        reads += other.reads
        failed += other.failed
        wrong += other.wrong
        longest = max(longest, other.longest)
        complaints += other.complaints
    }
}

final class Load: Sendable {
    let files: [File]
    let end: UInt64
    let isStopped = Atomic<Bool>(false)
    let total = Mutex(Tally())

    init(_ files: [File], end: UInt64) {
        self.files = files
        self.end = end
    }
}

nonisolated(unsafe) var theLoad: Load?
/// Set before the first thread.
nonisolated(unsafe) var acceptsPadding = false

func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// The bytes of an open file from its start, in pieces of `step`; nil with errno set when a
/// read fails.
func content(_ descriptor: CInt, step: Int, into buffer: inout [UInt8]) -> Int? {
    var size = 0
    while size < buffer.count {
        let count = buffer.withUnsafeMutableBytes {
            let rest = UnsafeMutableRawBufferPointer(rebasing: $0[size...])
            return pread(descriptor, rest.baseAddress, min(step, rest.count), off_t(size))
        }
        if count < 0 { return nil }
        if count == 0 { break }
        size += count
    }
    return size
}

/// The first word of each line.
func shape(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
    bytes.split(separator: 10, omittingEmptySubsequences: false).map { line in
        // The numbers of loadavg and uptime are the first word.
        let word = line.prefix { $0 != 32 && $0 != 9 && $0 != 58 }
        return word.contains { $0 >= 65 } ? Array(word) : []
    }
}

func contains(_ bytes: ArraySlice<UInt8>, _ text: [UInt8]) -> Bool {
    if text.isEmpty { return true }
    return bytes.indices.contains { bytes[$0...].starts(with: text) }
}

func run(_ load: Load, seed: Int) {
    var tally = Tally()
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var shapes: [[[UInt8]]?] = Array(repeating: nil, count: load.files.count)
    var kept = Array(repeating: CInt(-1), count: load.files.count)
    var uptimes: [String: [Double]] = [:]
    var round = seed
    while !load.isStopped.load(ordering: .relaxed), now() < load.end {
        round += 1
        let index = round % load.files.count
        let file = load.files[index]
        let way = round / load.files.count % 3
        let started = now()
        func complain(_ what: String) {
            if tally.complaints.count < 5 {
                tally.complaints.append("\(file.path) way \(way): \(what)")
            }
        }
        var descriptor = way == 2 ? kept[index] : -1
        if descriptor < 0 { descriptor = open(file.path, O_RDONLY | O_CLOEXEC) }
        tally.reads += 1
        guard descriptor >= 0 else {
            tally.failed += 1
            complain("open: " + String(cString: strerror(errno)))
            continue
        }
        let step = way == 1 && file.isSnapshot ? 61 : buffer.count
        let size = content(descriptor, step: step, into: &buffer)
        let code = errno
        if way == 2 { kept[index] = descriptor } else { close(descriptor) }
        tally.longest = max(tally.longest, now() - started)
        guard let size else {
            tally.failed += 1
            complain("read: " + String(cString: strerror(code)))
            continue
        }
        let bytes = buffer[..<size]
        let seen = shape(bytes)
        let known = shapes[index] ?? seen
        shapes[index] = known
        // What counts up never goes back: uptime and idle time.
        if file.path.hasSuffix("/uptime") {
            let numbers = String(decoding: bytes, as: UTF8.self).split {
                $0 == " " || $0 == "\n"
            }
            .compactMap { Double($0) }
            if let former = uptimes[file.path],
                numbers.count != 2 || numbers[0] < former[0] || numbers[1] < former[1]
            {
                tally.wrong += 1
                complain("\(numbers) after \(former)")
            }
            if numbers.count == 2 { uptimes[file.path] = numbers }
        }
        let fault =
            file.fault(in: bytes)
            ?? (file.keepsShape && seen != known ? "another shape" : nil)
            ?? (contains(bytes, file.text) ? nil : "another text")
        if let fault {
            tally.wrong += 1
            let end = String(decoding: bytes.suffix(120), as: UTF8.self).debugDescription
            complain("\(fault); \(size) bytes: \(end)")
        }
    }
    load.total.withLock { $0.add(tally) }
}

func start(_ load: Load, seed: Int) -> pthread_t {
    final class Argument {
        let load: Load
        let seed: Int
        init(_ load: Load, _ seed: Int) {
            self.load = load
            self.seed = seed
        }
    }
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Argument(load, seed))
    let result = pthread_create(
        &thread, nil,
        { raw in
            if let raw {
                let argument = Unmanaged<Argument>.fromOpaque(raw).takeRetainedValue()
                run(argument.load, seed: argument.seed)
            }
            return nil
        }, argument.toOpaque())
    precondition(result == 0, "no thread")
    return thread
}

func main() -> CInt {
    var words = CommandLine.arguments
    if words.count > 1, words[1] == "--padded" {
        words.remove(at: 1)
        acceptsPadding = true
    }
    guard words.count > 3, let threads = Int(words[1]), let seconds = UInt64(words[2]) else {
        print("usage: readload [--padded] THREADS SECONDS FILE[=TEXT] ...")
        return 64
    }
    let files = words[3...].map(File.init)
    let load = Load(files, end: now() + seconds * 1_000_000_000)
    theLoad = load
    signal(SIGTERM) { _ in theLoad?.isStopped.store(true, ordering: .relaxed) }
    let all = (0..<threads).map { start(load, seed: $0 * 1000) }
    for thread in all { pthread_join(thread, nil) }
    let total = load.total.withLock { $0 }
    for complaint in total.complaints { print(complaint) }
    let microseconds = total.longest / 1000
    print(
        "reads \(total.reads) failed \(total.failed) wrong \(total.wrong) "
            + "longest_us \(microseconds)")
    return total.failed + total.wrong == 0 && total.reads > 0 ? 0 : 1
}

exit(main())
