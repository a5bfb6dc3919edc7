import FoundationEssentials

/// What JSONDecoder lets pass, or rejects without saying why, is checked before it runs:
///
/// - of equal keys it takes the first, where the runtimes (Go, yajl) take the last: hook
///   and runtime would see different documents;
/// - it accepts UTF-16;
/// - it does not tell a truncated document from a malformed one.
///
/// The grammar is left to it.
struct JSONStructure {
    struct Failure: Error {
        var path = ""
        var problem: String
        var isTruncated = false
    }

    /// The documents of the specification are ten levels deep. JSONDecoder goes to 512,
    /// which is a lot of stack for a thread.
    static let depthLimit = 128

    static func check(_ json: [UInt8]) throws(Failure) {
        // NUL bytes are what UTF-16 and a sparse file have in common.
        guard String(validating: json, as: UTF8.self) != nil, !json.contains(0) else {
            throw Failure(problem: "not JSON: not UTF-8 text")
        }
        var scanner = JSONStructure(json)
        try scanner.run()
    }

    private enum Level {
        case object(keys: Set<String>, current: String)
        case array(index: Int)
    }

    private let json: [UInt8]
    private var position = 0
    private var levels: [Level] = []

    private init(_ json: [UInt8]) { self.json = json }

    private mutating func run() throws(Failure) {
        guard let first = json.first(where: { !Self.isSpace($0) }) else {
            throw Failure(problem: "empty", isTruncated: true)
        }
        guard first == UInt8(ascii: "{") else {
            throw Failure(problem: Self.notAnObject(first))
        }
        var keyIsNext = false
        while position < json.count {
            let byte = json[position]
            switch byte {
            case UInt8(ascii: "{"):
                try push(.object(keys: [], current: ""))
                keyIsNext = true
            case UInt8(ascii: "["):
                try push(.array(index: 0))
                keyIsNext = false
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard !levels.isEmpty else { throw Failure(problem: "not JSON: syntax error") }
                levels.removeLast()
                keyIsNext = false
            case UInt8(ascii: ","):
                keyIsNext = nextElement()
            case UInt8(ascii: "\""):
                let literal = try stringLiteral()
                if keyIsNext { try take(key: literal) }
                keyIsNext = false
                continue
            default: break
            }
            position += 1
        }
        if !levels.isEmpty { throw Self.truncated }
    }

    private mutating func push(_ level: Level) throws(Failure) {
        guard levels.count < Self.depthLimit else {
            throw Failure(problem: "nested deeper than \(Self.depthLimit) levels")
        }
        levels.append(level)
    }

    /// Whether a key comes next.
    private mutating func nextElement() -> Bool {
        switch levels.last {
        case .object: return true
        case .array(let index):
            levels[levels.count - 1] = .array(index: index + 1)
            return false
        case nil: return false
        }
    }

    /// The literal with its quotes; leaves the position after it.
    private mutating func stringLiteral() throws(Failure) -> Range<Int> {
        let start = position
        position += 1
        while position < json.count {
            switch json[position] {
            case UInt8(ascii: "\""):
                position += 1
                return start..<position
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        throw Self.truncated
    }

    private mutating func take(key literal: Range<Int>) throws(Failure) {
        let key = text(of: literal)
        // Out of the array while it changes: otherwise the set is copied for each key.
        guard case .object(var keys, _) = levels.popLast() else { return }
        let isNew = keys.insert(key).inserted
        levels.append(.object(keys: keys, current: key))
        if !isNew { throw Failure(path: path, problem: "duplicate key") }
    }

    private func text(of literal: Range<Int>) -> String {
        let content = json[literal].dropFirst().dropLast()
        // Only an escape can make different literals the same key.
        if content.contains(UInt8(ascii: "\\")),
            let key = try? JSONDecoder().decode(String.self, from: Data(json[literal]))
        {
            return key
        }
        return String(decoding: content, as: UTF8.self)
    }

    private var path: String {
        levels.reduce(into: "") { text, level in
            switch level {
            case .object(_, let key): DocumentPath.append(key, to: &text)
            case .array(let index): text += "[\(index)]"
            }
        }
    }

    private static let truncated = Failure(
        problem: "not JSON: unexpected end of input", isTruncated: true)

    private static func isSpace(_ byte: UInt8) -> Bool {
        [0x20, 0x09, 0x0A, 0x0D].contains(byte)
    }

    private static func notAnObject(_ first: UInt8) -> String {
        switch first {
        case UInt8(ascii: "["): "expected an object, found an array"
        case UInt8(ascii: "\""): "expected an object, found a string"
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            "expected an object, found a number"
        default: "not JSON: syntax error"
        }
    }
}
