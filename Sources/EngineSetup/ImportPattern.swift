import Glibc

/// A pattern of file names (glob(7)) in a list of imports.
struct ImportPattern {
    let pattern: String

    /// Where a pattern begins, the directory of the file that names it.
    init(_ text: String, in directory: String) {
        pattern = text.hasPrefix("/") ? text : "\(directory)/\(text)"
    }

    var directory: String {
        String(pattern[..<(pattern.lastIndex(of: "/") ?? pattern.startIndex)])
    }
    private var last: String { String(pattern.split(separator: "/").last ?? "") }

    /// Whether a file of this name would be imported.
    func takes(_ name: String) -> Bool { fnmatch(last, name, 0) == 0 }

    /// The files that are there. Patterns of directories, which nobody has seen, are none.
    func files(in root: Root) throws(SetupError) -> [String] {
        try root.names(in: directory).filter(takes).map { "\(directory)/\($0)" }
    }
}
