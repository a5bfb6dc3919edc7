/// The difference of two texts, as `diff -u` writes it.
struct LineDifference {
    private enum Line: Equatable {
        case same(Substring), removed(Substring), added(Substring)

        var isChange: Bool {
            if case .same = self { false } else { true }
        }
        var text: String {
            switch self {
            case .same(let text): " \(text)"
            case .removed(let text): "-\(text)"
            case .added(let text): "+\(text)"
            }
        }
    }

    private static let context = 3
    private let lines: [Line]

    /// - Parameters: nil where there is no file.
    init(_ before: [UInt8]?, _ after: [UInt8]?) {
        let one = Self.lines(before)
        let two = Self.lines(after)
        lines = two.difference(from: one).isEmpty ? one.map(Line.same) : Self.merge(one, two)
    }

    /// - Parameters: the names of the two, nil for none (`/dev/null`).
    func unified(_ before: String?, _ after: String?) -> String {
        let changes = lines.indices.filter { lines[$0].isChange }
        guard !changes.isEmpty else { return "" }
        var text = "--- \(before ?? "/dev/null")\n+++ \(after ?? "/dev/null")\n"
        var hunk: Range<Int>?
        for change in changes {
            let range =
                max(0, change - Self.context)..<min(lines.count, change + Self.context + 1)
            if let open = hunk, range.lowerBound <= open.upperBound {
                hunk = open.lowerBound..<range.upperBound
            } else {
                if let hunk { text += self.text(of: hunk) }
                hunk = range
            }
        }
        if let hunk { text += self.text(of: hunk) }
        return text
    }

    private func text(of hunk: Range<Int>) -> String {
        func count(_ range: some Sequence<Line>, _ counts: (Line) -> Bool) -> Int {
            range.count(where: counts)
        }
        let isOld: (Line) -> Bool = { if case .added = $0 { false } else { true } }
        let isNew: (Line) -> Bool = { if case .removed = $0 { false } else { true } }
        func place(_ counts: (Line) -> Bool) -> String {
            let length = count(lines[hunk], counts)
            let before = count(lines[..<hunk.lowerBound], counts)
            return "\(length == 0 ? before : before + 1),\(length)"
        }
        return "@@ -\(place(isOld)) +\(place(isNew)) @@\n"
            + lines[hunk].map { $0.text + "\n" }.joined()
    }

    private static func lines(_ text: [UInt8]?) -> [Substring] {
        // Of bytes: a carriage return and a line feed are one character.
        var lines = (text ?? []).split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        ).map { Substring(decoding: $0, as: UTF8.self) }
        if lines.last?.isEmpty == true {
            lines.removeLast()
        } else if let last = lines.popLast() {
            lines.append(last + "\n\\ No newline at end of file")
        }
        return lines
    }

    private static func merge(_ one: [Substring], _ two: [Substring]) -> [Line] {
        let difference = two.difference(from: one)
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var lines: [Line] = []
        var (old, new) = (0, 0)
        while old < one.count || new < two.count {
            if removed.contains(old) {
                lines.append(.removed(one[old]))
                old += 1
            } else if added.contains(new) {
                lines.append(.added(two[new]))
                new += 1
            } else {
                lines.append(.same(one[old]))
                old += 1
                new += 1
            }
        }
        return lines
    }
}
