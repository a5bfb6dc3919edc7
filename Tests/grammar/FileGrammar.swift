/// Which lines a kernel's file has, in which order: as strict as the strictest program that reads
/// it. What is in there is for others to judge.
public struct FileGrammar: Sendable {
    public enum Rule: Sendable {
        case one(LineFormat)
        case optional(LineFormat)
        case any(LineFormat)
        case some(LineFormat)
        /// At least one line, each of one of the formats.
        case mixed([LineFormat])
        /// What is repeated at least once, or (`mayBeMissing`) not at all.
        case blocks([Rule], mayBeMissing: Bool)
    }

    /// One of these.
    let alternatives: [[Rule]]
    /// No two lines have the same first word.
    let hasUniqueKeys: Bool
    let mayBeEmpty: Bool

    public init(_ rules: [Rule], hasUniqueKeys: Bool = false, mayBeEmpty: Bool = false) {
        alternatives = [rules]
        self.hasUniqueKeys = hasUniqueKeys
        self.mayBeEmpty = mayBeEmpty
    }

    public init(anyOf alternatives: [[Rule]]) {
        self.alternatives = alternatives
        hasUniqueKeys = false
        mayBeEmpty = false
    }

    /// What is wrong with a content; nil if nothing is.
    public func fault(in content: UnsafeBufferPointer<UInt8>) -> String? {
        if content.isEmpty { return mayBeEmpty ? nil : "empty" }
        guard content.last == 10 else { return "no newline at the end" }
        if content.contains(0) { return "a NUL" }
        var faults: [String] = []
        for rules in alternatives {
            guard let fault = Self.fault(in: content, rules) else {
                return hasUniqueKeys ? duplicate(content) : nil
            }
            faults.append(fault)
        }
        return faults.joined(separator: ", or ")
    }

    private static func fault(in content: UnsafeBufferPointer<UInt8>, _ rules: [Rule])
        -> String?
    {
        var lines = Lines(content)
        let fits = rules.allSatisfy { take($0, &lines) } && lines.isAtEnd
        return fits ? nil : "line \(lines.number + 1): \(lines.described)"
    }

    private static func take(_ rule: Rule, _ lines: inout Lines) -> Bool {
        switch rule {
        case .one(let format):
            return lines.take(format)
        case .optional(let format):
            _ = lines.take(format)
            return true
        case .any(let format):
            while lines.take(format) {}
            return true
        case .some(let format):
            guard lines.take(format) else { return false }
            while lines.take(format) {}
            return true
        case .mixed(let formats):
            var count = 0
            while formats.contains(where: { lines.take($0) }) { count += 1 }
            return count > 0
        case .blocks(let rules, let mayBeMissing):
            var count = 0
            while !lines.isAtEnd {
                let start = lines
                for rule in rules where !take(rule, &lines) {
                    if count == 0, !mayBeMissing || lines.number > start.number { return false }
                    if lines.number > start.number { return false }
                    return true
                }
                count += 1
            }
            return count > 0 || mayBeMissing
        }
    }

    private func duplicate(_ content: UnsafeBufferPointer<UInt8>) -> String? {
        var keys = Set<[UInt8]>()
        for line in content.split(separator: 10, omittingEmptySubsequences: false).dropLast() {
            let key = Array(line.prefix { $0 > 0x20 })
            if !keys.insert(key).inserted {
                return "twice: \(String(decoding: key, as: UTF8.self))"
            }
        }
        return nil
    }
}

/// The lines of a content, one after the other.
private struct Lines {
    private let content: UnsafeBufferPointer<UInt8>
    private var start = 0
    private(set) var number = 0

    init(_ content: UnsafeBufferPointer<UInt8>) { self.content = content }

    var isAtEnd: Bool { start >= content.count }

    private var line: UnsafeBufferPointer<UInt8> {
        var end = start
        while end < content.count, content[end] != 10 { end += 1 }
        return UnsafeBufferPointer(rebasing: content[start..<end])
    }

    mutating func take(_ format: LineFormat) -> Bool {
        guard !isAtEnd else { return false }
        let line = line
        guard format.matches(line) else { return false }
        start += line.count + 1
        number += 1
        return true
    }

    var described: String {
        isAtEnd ? "missing" : String(decoding: line, as: UTF8.self).debugDescription
    }
}
