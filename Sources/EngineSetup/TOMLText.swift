import JSON
import TOMLKit

/// Reads TOML. All of the library that this package uses is in this file.
enum TOMLText {
    /// The tables of a text.
    ///
    /// Comments and layout are not kept: a changed text is the old one with lines added, and is read
    /// again, to see that nothing else has changed. Dates are strings, and so is what is no number
    /// of JSON.
    ///
    /// - Parameter path: for the error.
    static func parse(_ bytes: [UInt8], path: String) throws(SetupError) -> JSONObject {
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw SetupError("\(path) is not UTF-8 text: left as it is")
        }
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let place = error.source.begin
            throw SetupError(
                """
                \(path), line \(place.line), column \(place.column): \(error.description): left \
                as it is
                """)
        } catch {
            throw SetupError("\(path): \(error): left as it is")
        }
        return object(table)
    }

    private static func object(_ table: TOMLTable) -> JSONObject {
        var members: JSONObject = [:]
        for key in table.keys {
            if let value = table[key] { members[key] = self.value(value) }
        }
        return members
    }

    private static func value(_ value: any TOMLValueConvertible) -> JSONValue {
        if let table = value.table { return .object(object(table)) }
        if let array = value.array { return .array(array.map { self.value($0) }) }
        if let string = value.string { return .string(string) }
        if let bool = value.bool { return .bool(bool) }
        if let int = value.int { return .integer(Int64(int)) }
        if let double = value.double {
            return double.isFinite ? .double(double) : .string("\(double)")
        }
        return .string(value.debugDescription)
    }
}
