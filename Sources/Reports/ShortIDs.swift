/// Ids as engines show them: 12 hexadecimal digits of those that have 32 or more, and more where two
/// would look the same. Other ids are names that somebody has chosen, and stay.
public struct ShortIDs {
    /// Digits that every engine shows.
    static let length = 12
    /// Fewer digits are not taken for an id that an engine has made.
    static let leastDigits = 32

    private let lengths: [Substring: Int]

    /// - Parameter ids: all that are shown together.
    public init(_ ids: some Sequence<String>) {
        let digits = Set(ids.compactMap(Self.digits)).sorted()
        var lengths: [Substring: Int] = [:]
        for (place, own) in digits.enumerated() {
            var length = Self.length
            // In order, what looks most alike stands beside it.
            if place > 0 { length = max(length, Self.common(own, digits[place - 1]) + 1) }
            if place + 1 < digits.count {
                length = max(length, Self.common(own, digits[place + 1]) + 1)
            }
            lengths[own] = length
        }
        self.lengths = lengths
    }

    /// What is shown for an id; with the `~2` of the second container that has it.
    public func short(_ id: String) -> String {
        guard let digits = Self.digits(of: id), let length = lengths[digits] else { return id }
        return String(digits.prefix(length) + id[digits.endIndex...])
    }

    /// The digits at the start of an id that is nothing but digits, or these and `~` with a number.
    private static func digits(of id: String) -> Substring? {
        let digits = id.prefix { $0.isASCII && $0.isHexDigit }
        guard digits.count >= leastDigits else { return nil }
        let rest = id[digits.endIndex...]
        if rest.isEmpty { return digits }
        let number = rest.dropFirst()
        let isSecond =
            rest.first == "~" && !number.isEmpty && number.allSatisfy(\.isWholeNumber)
        return isSecond ? digits : nil
    }

    private static func common(_ one: Substring, _ other: Substring) -> Int {
        zip(one, other).prefix { $0 == $1 }.count
    }

    /// A path with all long runs of digits cut; `*` stands for the rest, so that a shell finds it.
    public static func shortened(path: String) -> String {
        var result = ""
        var rest = path[...]
        while let start = rest.firstIndex(where: { $0.isASCII && $0.isHexDigit }) {
            result += rest[..<start]
            let digits = rest[start...].prefix { $0.isASCII && $0.isHexDigit }
            result += digits.count >= leastDigits ? digits.prefix(length) + "*" : digits
            rest = rest[digits.endIndex...]
        }
        return result + rest
    }
}
