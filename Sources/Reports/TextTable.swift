/// Rows in columns that are as wide as their widest cell.
public struct TextTable {
    public enum Alignment: Sendable { case left, right }

    private let alignments: [Alignment]
    private let rows: [[String]]

    /// - Parameters:
    ///   - rows: of cells that may be printed; the first one may be a heading.
    ///   - alignments: of the columns; those that are missing are left-aligned.
    public init(_ rows: [[String]], _ alignments: [Alignment] = []) {
        self.rows = rows
        self.alignments = alignments
    }

    /// The rows as lines, without spaces at their ends.
    public var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let room = String(repeating: " ", count: widths[column] - cell.count)
                let isRight = column < alignments.count && alignments[column] == .right
                line += isRight ? room + cell : cell + room
                line += "  "
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
