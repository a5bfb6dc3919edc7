import OCISpec
import Syscalls

/// The program of a runtime, which is asked what it can do.
struct RuntimeProgram {
    let path: String

    /// Milliseconds that a question may take.
    private static let patience: CInt = 2000

    /// Why it makes no time namespaces; nil if it does.
    var timeObjection: String? {
        if let features = ask("features"), Self.hasTime(features: features) { return nil }
        guard let version = ask("--version") else {
            return "\(path) does not say what it can do"
        }
        let name = String(decoding: version, as: UTF8.self).split(separator: "\n").first ?? ""
        if Self.hasTime(version: name) { return nil }
        return """
            \(path) (\(name)) makes none with offsets, which runc 1.2 and crun 1.8.4 do; if that \
            is not the one that is used, see --runtime
            """
    }

    /// features-linux.md of the runtime specification.
    static func hasTime(features: [UInt8]) -> Bool {
        guard let features = try? Features(json: features, keepsUnknown: false) else {
            return false
        }
        return (features.linux?.namespaces ?? []).contains(Namespace.Kind.time.rawValue)
    }

    /// crun makes them, and does not name them among its features. Before 1.8.4 it takes no
    /// offsets from config.json, and beside a new pid namespace does not find its own child again:
    /// it kills the host's process of that number, and gives up.
    ///
    /// - Parameter line: such as `crun version 1.28`.
    static func hasTime(version line: Substring) -> Bool {
        let words = line.split(separator: " ")
        guard words.count >= 3, words[0] == "crun", words[1] == "version" else { return false }
        let numbers = words[2].split(separator: ".").map { part in
            Int(part.prefix { ("0"..."9").contains($0) }) ?? 0
        }
        return !numbers.lexicographicallyPrecedes([1, 8, 4])
    }

    private func ask(_ question: String) -> [UInt8]? {
        try? programOutput(path, [question], limit: 1 << 20, timeout: Self.patience)
    }
}
