/// Checks a text against RFC 8259 in one pass, and more strictly:
///
/// - equal keys in an object are refused: the runtimes take the last, others the first, so
///   hook and runtime would see different documents;
/// - it must be UTF-8, and an object;
/// - nesting has a limit;
/// - a text that is only not complete is told from one that is wrong.
struct JSONScanner {
    /// The documents of the specifications are ten levels deep.
    static let depthLimit = 128

    private(set) var entries: [JSONEntry] = []
    /// Whether there is a value that may be impossible to keep, or that is malformed.
    private(set) var hasDoubtful = false

    private struct Level {
        /// The entry of the object or array.
        let entry: Int
        let isObject: Bool
        /// Keys or elements so far.
        var count = 0
        /// The entry of the current key.
        var key = 0
        /// All keys, once they are too many to be compared one by one, or need decoding.
        var keys: Set<String>?
    }

    private let bytes: [UInt8]
    private var position = 0
    /// Where the token begins at which the scanner is.
    private(set) var token = 0
    private var levels: [Level] = []

    private static let syntaxError = JSONFault("not JSON: syntax error", isOfGrammar: true)
    private static let truncated = JSONFault(
        "not JSON: unexpected end of input", isTruncated: true)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() throws(JSONFault) {
        // Places are kept in 32 bits.
        guard bytes.count < Int(Int32.max), isText else {
            throw JSONFault("not JSON: not UTF-8 text")
        }
        skipSpace()
        guard position < bytes.count else { throw JSONFault("empty", isTruncated: true) }
        guard bytes[position] == UInt8(ascii: "{") else {
            throw Self.notAnObject(bytes[position])
        }
        entries.reserveCapacity(bytes.count / 12)
        levels.reserveCapacity(16)
        try value()
        // After a value: what may follow it depends on what it is in. A copy of the level would
        // share its keys, which would be copied for each new one then.
        while let isObject = levels.last?.isObject {
            let byte = try nextToken()
            if byte == UInt8(ascii: ",") {
                if isObject { try key() }
                try value()
            } else if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                close()
            } else {
                throw Self.syntaxError
            }
        }
        skipSpace()
        token = position
        if position < bytes.count { throw Self.syntaxError }
    }

    /// UTF-8 without NUL bytes, which are what UTF-16 and a sparse file have in common.
    private var isText: Bool {
        var all: UInt8 = 0
        for byte in bytes {
            if byte == 0 { return false }
            all |= byte
        }
        return all < 0x80 || String(validating: bytes, as: UTF8.self) != nil
    }

    /// Reads a value; of an object or array only the beginning, up to its first value.
    private mutating func value() throws(JSONFault) {
        while true {
            if let last = levels.indices.last, !levels[last].isObject {
                levels[last].count += 1
            }
            let byte = try nextToken()
            switch byte {
            case UInt8(ascii: "{"):
                try open(isObject: true)
                skipSpace()
                if peek() == UInt8(ascii: "}") {
                    position += 1
                    return close()
                }
                try key()
            case UInt8(ascii: "["):
                try open(isObject: false)
                skipSpace()
                if peek() == UInt8(ascii: "]") {
                    position += 1
                    return close()
                }
            case UInt8(ascii: "\""): return try string()
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
            case UInt8(ascii: "t"): return try literal("true", .true)
            case UInt8(ascii: "f"): return try literal("false", .false)
            case UInt8(ascii: "n"): return try literal("null", .null)
            default: throw Self.syntaxError
            }
        }
    }

    private mutating func open(isObject: Bool) throws(JSONFault) {
        guard levels.count < Self.depthLimit else {
            throw JSONFault("nested deeper than \(Self.depthLimit) levels")
        }
        levels.append(Level(entry: entries.count, isObject: isObject))
        append(isObject ? .object : .array, position - 1, position)
    }

    private mutating func close() {
        guard let level = levels.popLast() else { return }
        entries[level.entry].end = UInt32(position)
        entries[level.entry].next = UInt32(entries.count)
    }

    private mutating func append(_ kind: JSONEntry.Kind, _ start: Int, _ end: Int) {
        entries.append(
            JSONEntry(
                kind: kind, start: UInt32(start), end: UInt32(end),
                next: UInt32(entries.count + 1)))
    }

    // MARK: - Tokens

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// The first byte of the next token, which is passed.
    private mutating func nextToken() throws(JSONFault) -> UInt8 {
        skipSpace()
        token = position
        guard position < bytes.count else { throw Self.truncated }
        position += 1
        return bytes[position - 1]
    }

    private mutating func literal(
        _ word: StaticString, _ kind: JSONEntry.Kind
    ) throws(JSONFault) {
        let start = position - 1
        for offset in 1..<word.utf8CodeUnitCount {
            guard position < bytes.count else { throw Self.truncated }
            guard bytes[position] == word.utf8Start[offset] else { throw Self.syntaxError }
            position += 1
        }
        append(kind, start, position)
    }

    /// The opening quote has been passed.
    private mutating func string() throws(JSONFault) {
        let start = position
        var kind = JSONEntry.Kind.plainString
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                if kind == .malformed { hasDoubtful = true }
                append(kind, start, position)
                position += 1
                return
            }
            position += 1
            if byte == UInt8(ascii: "\\") {
                if !escape() {
                    kind = .malformed
                } else if kind == .plainString {
                    kind = .escapedString
                }
            } else if byte < 0x20 {
                kind = .malformed
            }
        }
        throw Self.truncated
    }

    /// Passes what follows a backslash; false if it makes no sense. The end of the text is
    /// the business of the caller.
    private mutating func escape() -> Bool {
        guard let byte = peek() else { return true }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return true
        case UInt8(ascii: "u"): break
        default: return false
        }
        guard let unit = JSONEscape.codeUnit(bytes, at: position) else { return false }
        position += 4
        if !UTF16.isTrailSurrogate(unit), !UTF16.isLeadSurrogate(unit) { return true }
        guard UTF16.isLeadSurrogate(unit), position + 6 <= bytes.count,
            bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u"),
            let trail = JSONEscape.codeUnit(bytes, at: position + 2),
            UTF16.isTrailSurrogate(trail)
        else { return false }
        position += 6
        return true
    }

    /// The first byte has been passed.
    private mutating func number() {
        let start = position - 1
        scan: while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                position += 1
            default: break scan
            }
        }
        let number = JSONNumber(bytes, start..<position)
        if !number.isWellFormed || number.mayOverflow { hasDoubtful = true }
        append(number.isWellFormed ? .number : .malformed, start, position)
    }

    // MARK: - Keys

    /// Reads a key and the colon after it.
    private mutating func key() throws(JSONFault) {
        guard try nextToken() == UInt8(ascii: "\"") else { throw Self.syntaxError }
        let key = entries.count
        try string()
        if entries[key].kind == .malformed { throw Self.syntaxError }
        try note(key)
        guard try nextToken() == UInt8(ascii: ":") else { throw Self.syntaxError }
    }

    private mutating func note(_ key: Int) throws(JSONFault) {
        let last = levels.count - 1
        levels[last].key = key
        levels[last].count += 1
        let isNew: Bool
        if levels[last].keys == nil, levels[last].count <= 16, isASCII(entries[key]) {
            isNew = !isAmongKeys(of: levels[last], key)
        } else {
            // Taken out meanwhile: otherwise the set is copied for each key.
            var keys = levels[last].keys.take() ?? earlierKeys(of: levels[last])
            isNew = keys.insert(text(entries[key])).inserted
            levels[last].keys = keys
        }
        if !isNew { throw JSONFault(path: path, "duplicate key") }
    }

    private func isAmongKeys(of level: Level, _ key: Int) -> Bool {
        var earlier = level.entry + 1
        while earlier < key {
            if isEqual(entries[earlier], entries[key]) { return true }
            earlier = Int(entries[earlier + 1].next)
        }
        return false
    }

    private func earlierKeys(of level: Level) -> Set<String> {
        var keys: Set<String> = []
        var earlier = level.entry + 1
        while earlier < level.key {
            keys.insert(text(entries[earlier]))
            earlier = Int(entries[earlier + 1].next)
        }
        return keys
    }

    private func isEqual(_ one: JSONEntry, _ other: JSONEntry) -> Bool {
        let count = one.end - one.start
        guard count == other.end - other.start else { return false }
        for offset in 0..<count
        where bytes[Int(one.start + offset)] != bytes[Int(other.start + offset)] {
            return false
        }
        return true
    }

    /// Only of such keys different bytes are always different keys.
    private func isASCII(_ key: JSONEntry) -> Bool {
        key.kind == .plainString
            && bytes[Int(key.start)..<Int(key.end)].allSatisfy { $0 < 0x80 }
    }

    private func text(_ key: JSONEntry) -> String {
        JSONEscape.string(bytes, key)
    }

    private var path: String {
        levels.reduce(into: "") { text, level in
            if level.isObject {
                JSONPath.append(self.text(entries[level.key]), to: &text)
            } else {
                text += "[\(level.count - 1)]"
            }
        }
    }

    private static func notAnObject(_ first: UInt8) -> JSONFault {
        switch first {
        case UInt8(ascii: "["): JSONFault("expected an object, found an array")
        case UInt8(ascii: "\""): JSONFault("expected an object, found a string")
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            JSONFault("expected an object, found a number")
        default: syntaxError
        }
    }
}
