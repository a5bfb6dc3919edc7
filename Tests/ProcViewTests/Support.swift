import Cgroups
import Foundation
import KernelText
import Testing

@testable import ProcView

func withBytes<Value>(_ text: String, _ body: (Bytes) throws -> Value) rethrows -> Value {
    try Array(text.utf8).withUnsafeBufferPointer(body)
}

/// The top directory of the source.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

/// What `body` writes.
func rendered(_ host: String, _ body: (Bytes, TextBuffer) -> Void) -> String {
    let out = TextBuffer(capacity: 64)
    withBytes(host) { body($0, out) }
    return out.string
}

/// A kernel whose files have been captured; see Fixtures/README.md.
struct Kernel: CustomTestStringConvertible, Sendable {
    let name: String
    private let directory: URL

    var testDescription: String { name }

    static let all: [Kernel] = {
        guard let root = Bundle.module.url(forResource: "Fixtures", withExtension: nil),
            let names = try? FileManager.default.contentsOfDirectory(atPath: root.path)
        else { return [] }
        return names.sorted().filter { $0.first?.isNumber ?? false }
            .map { Kernel(name: $0, directory: root.appendingPathComponent($0)) }
    }()

    func text(_ path: String) throws -> String {
        String(
            decoding: try Data(contentsOf: directory.appendingPathComponent(path)),
            as: UTF8.self)
    }
}

/// Random numbers that are the same in every run (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// The lines of a meminfo as numbers by name.
func meminfoValues(_ text: String) -> [String: UInt64] {
    var values: [String: UInt64] = [:]
    for line in text.split(separator: "\n") {
        let parts = line.split(separator: ":")
        values[String(parts[0])] = parts[1].split(separator: " ").first.flatMap { UInt64($0) }
    }
    return values
}
