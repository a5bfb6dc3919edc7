/// What a line of a kernel's file may be, written as the kernel prints it (printk-formats): text as
/// it is, and
///
///     %u %8u %02u   a number without needless zeros; right-aligned; at least so many digits
///     %d %7d        the same with a sign
///     %x            hexadecimal digits
///     %s %-16s      letters without spaces; left-aligned
///     %k %-16k      the same, up to a colon
///     %n            a name: anything up to a tabulator or a colon
///     %*            anything printable that does not end with a space, or nothing
///     %L            CPUs or nodes as ranges, or nothing
///     %M            a mask in groups of eight hexadecimal digits
///     (...)*  (...){10}  (...)?  what is repeated, or may be missing
///
/// It is matched from both ends; what repeats takes as much as it can get.
public struct LineFormat: Sendable {
    enum Element: Sendable, Equatable {
        case literal([UInt8])
        case number(width: Int, zeros: Bool, signed: Bool)
        case hexadecimal
        case word(width: Int, isKey: Bool)
        case name
        case rest
        case list
        case mask
        case group([Element], ClosedRange<Int>)
    }

    let elements: [Element]

    public init(_ format: String) {
        var characters = Array(format)[...]
        elements = Self.parse(&characters)
        precondition(characters.isEmpty, "unbalanced: \(format)")
    }

    private static func parse(_ text: inout ArraySlice<Character>) -> [Element] {
        var elements: [Element] = []
        var literal: [UInt8] = []
        func flush() {
            if !literal.isEmpty { elements.append(.literal(literal)) }
            literal = []
        }
        while let next = text.first, next != ")" {
            text.removeFirst()
            switch next {
            case "%":
                flush()
                elements.append(conversion(&text))
            case "(":
                flush()
                let inner = parse(&text)
                precondition(text.popFirst() == ")", "( without )")
                elements.append(.group(inner, repetition(&text)))
            case "\\":
                literal += Array(String(text.removeFirst()).utf8)
            default:
                literal += Array(String(next).utf8)
            }
        }
        flush()
        return elements
    }

    private static func repetition(_ text: inout ArraySlice<Character>) -> ClosedRange<Int> {
        switch text.popFirst() {
        case "*": return 0...Int.max
        case "?": return 0...1
        case "{":
            var digits = ""
            while let digit = text.popFirst(), digit != "}" { digits.append(digit) }
            guard let count = Int(digits) else { preconditionFailure("{\(digits)}") }
            return count...count
        default: preconditionFailure("a group that is not repeated")
        }
    }

    private static func conversion(_ text: inout ArraySlice<Character>) -> Element {
        var flags = ""
        while let next = text.first, next == "-" || next.isNumber {
            flags.append(text.removeFirst())
        }
        let width = Int(flags.drop { $0 == "-" }) ?? 0
        switch text.popFirst() {
        case "u": return .number(width: width, zeros: flags.hasPrefix("0"), signed: false)
        case "d": return .number(width: width, zeros: flags.hasPrefix("0"), signed: true)
        case "x": return .hexadecimal
        case "s": return .word(width: width, isKey: false)
        case "k": return .word(width: width, isKey: true)
        case "n": return .name
        case "*": return .rest
        case "L": return .list
        case "M": return .mask
        case let other: preconditionFailure("%\(other.map(String.init) ?? "")")
        }
    }

    /// Whether that is the whole of `line`, which has no newline.
    public func matches(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        Self.match(elements, line, from: 0) == line.count
    }

    /// - Returns: where it ends; nil if it does not match.
    private static func match(
        _ elements: [Element], _ line: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> Int? {
        var position = start
        for element in elements {
            guard let end = match(element, line, from: position) else { return nil }
            position = end
        }
        return position
    }

    private static func match(
        _ element: Element, _ line: UnsafeBufferPointer<UInt8>, from start: Int
    ) -> Int? {
        switch element {
        case .literal(let text):
            guard start + text.count <= line.count else { return nil }
            for index in text.indices where line[start + index] != text[index] { return nil }
            return start + text.count
        case .number(let width, let zeros, let signed):
            return number(line, start, width, zeros, signed)
        case .hexadecimal:
            let end = end(line, start, isHexadecimal)
            return end > start ? end : nil
        case .word(let width, let isKey):
            return word(line, start, width, isKey)
        case .name:
            let end = end(line, start) { $0 >= 0x20 && $0 != 0x7f && $0 != 58 }
            return end > start ? end : nil
        case .rest:
            let end = end(line, start) { $0 >= 0x20 && $0 != 0x7f || $0 == 9 }
            if end > start, line[end - 1] == 0x20 || line[end - 1] == 9 { return nil }
            return end
        case .list:
            return list(line, start)
        case .mask:
            return mask(line, start)
        case .group(let inner, let counts):
            var position = start
            var count = 0
            while count < counts.upperBound, let end = match(inner, line, from: position),
                end > position
            {
                position = end
                count += 1
            }
            return count >= counts.lowerBound ? position : nil
        }
    }

    private static func end(
        _ line: UnsafeBufferPointer<UInt8>, _ start: Int, _ belongs: (UInt8) -> Bool
    ) -> Int {
        var end = start
        while end < line.count, belongs(line[end]) { end += 1 }
        return end
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte >= 97 && byte <= 102
    }

    private static func number(
        _ line: UnsafeBufferPointer<UInt8>, _ start: Int, _ width: Int, _ zeros: Bool,
        _ signed: Bool
    ) -> Int? {
        let first = zeros ? start : end(line, start) { $0 == 0x20 }
        let sign = signed && first < line.count && line[first] == 45 ? 1 : 0
        let end = end(line, first + sign, isDigit)
        let digits = end - first - sign
        guard digits > 0 else { return nil }
        // Filled up to the width, and not beyond it.
        if first > start, end - start != width || width == 0 { return nil }
        if end - start < width { return nil }
        if digits > (zeros ? max(width, 1) : 1), line[first + sign] == 48 { return nil }
        return end
    }

    private static func word(
        _ line: UnsafeBufferPointer<UInt8>, _ start: Int, _ width: Int, _ isKey: Bool
    ) -> Int? {
        var last = end(line, start) { $0 > 0x20 && $0 != 0x7f && !(isKey && $0 == 58) }
        guard last > start else { return nil }
        if isKey {
            guard last < line.count, line[last] == 58 else { return nil }
            last += 1
        }
        guard last - start < width else { return last }
        guard start + width <= line.count else { return nil }
        for index in last..<start + width where line[index] != 0x20 { return nil }
        return start + width
    }

    /// Ascending, and as short as it can be: no range touches the next.
    private static func list(_ line: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
        var position = start
        var least = 0
        func next() -> Int? {
            guard let end = number(line, position, 0, false, false), end - position < 10 else {
                return nil
            }
            let value = line[position..<end].reduce(0) { $0 * 10 + Int($1 - 48) }
            position = end
            return value
        }
        guard position < line.count, isDigit(line[position]) else { return position }
        while true {
            guard let first = next(), first >= least else { return nil }
            var last = first
            if position < line.count, line[position] == 45 {
                position += 1
                guard let end = next(), end > first else { return nil }
                last = end
            }
            guard position < line.count, line[position] == 44 else { return position }
            position += 1
            least = last + 2
        }
    }

    private static func mask(_ line: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
        var position = end(line, start, isHexadecimal)
        guard position > start, position - start <= 8 else { return nil }
        while position < line.count, line[position] == 44 {
            let end = end(line, position + 1, isHexadecimal)
            guard end - position == 9 else { return nil }
            position = end
        }
        return position
    }
}
