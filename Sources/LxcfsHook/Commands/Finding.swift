/// A line of the report that `check` prints.
struct Finding: Equatable, CustomStringConvertible {
    let verdict: Verdict
    let text: String

    enum Verdict: Equatable {
        case ok, warn, fail
    }

    static func ok(_ text: String) -> Finding { Finding(verdict: .ok, text: text) }
    static func warn(_ text: String) -> Finding { Finding(verdict: .warn, text: text) }
    static func fail(_ text: String) -> Finding { Finding(verdict: .fail, text: text) }

    var description: String {
        let word =
            switch verdict {
            case .ok: "ok  "
            case .warn: "warn"
            case .fail: "FAIL"
            }
        return "\(word) \(Log.singleLine(text))"
    }
}
