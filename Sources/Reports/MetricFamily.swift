/// A family of metrics in the text format of OpenMetrics 1.0.0
/// (https://github.com/prometheus/OpenMetrics, specification/OpenMetrics.md).
///
/// Only gauges and counters: the parser of Prometheus's older format, with which node_exporter reads
/// its text files, refuses other types.
public struct MetricFamily: Sendable {
    public enum Kind: String, Sendable { case gauge, counter }

    public struct Sample: Sendable {
        let labels: [(name: String, value: String)]
        let value: Value
    }

    public enum Value: Sendable {
        case whole(UInt64)
        case real(Double)
    }

    /// Without `_total`.
    public let name: String
    public let kind: Kind
    /// The last part of the name, if the family has a unit: `bytes`, `seconds`, `ratio`.
    public let unit: String?
    public let help: String
    public private(set) var samples: [Sample] = []

    /// - Parameter unit: must be the end of `name`, after an underscore.
    init(_ name: String, _ kind: Kind, unit: String? = nil, _ help: String) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.help = help
    }

    /// The name that a sample has.
    public var sampleName: String { kind == .counter ? name + "_total" : name }

    mutating func add(_ value: UInt64?, _ labels: KeyValuePairs<String, String> = [:]) {
        if let value { add(.whole(value), labels) }
    }

    mutating func add(_ value: Double?, _ labels: KeyValuePairs<String, String> = [:]) {
        if let value, value.isFinite { add(.real(value), labels) }
    }

    private mutating func add(_ value: Value, _ labels: KeyValuePairs<String, String>) {
        samples.append(Sample(labels: labels.map { ($0.key, $0.value) }, value: value))
    }

    /// All families that have samples, and the line that says that nothing is missing.
    public static func text(_ families: [MetricFamily]) -> String {
        families.map(\.text).joined() + "# EOF\n"
    }

    private var text: String {
        if samples.isEmpty { return "" }
        var text = "# TYPE \(name) \(kind.rawValue)\n"
        if let unit { text += "# UNIT \(name) \(unit)\n" }
        text += "# HELP \(name) \(Self.escape(help))\n"
        for sample in samples {
            text += sampleName
            if !sample.labels.isEmpty {
                let labels = sample.labels.map { "\($0.name)=\"\(Self.escape($0.value))\"" }
                text += "{" + labels.joined(separator: ",") + "}"
            }
            switch sample.value {
            case .whole(let value): text += " \(value)\n"
            case .real(let value): text += " \(value)\n"
            }
        }
        return text
    }

    /// As the specification's `escaped-string`.
    private static func escape(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
