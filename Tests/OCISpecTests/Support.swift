import Foundation
import JSON
import OCISpec
import Testing

/// The bytes of a file in Fixtures.
func fixture(_ name: String) throws -> [UInt8] {
    let directory = try #require(Bundle.module.resourcePath)
    return Array(try Data(contentsOf: URL(filePath: "\(directory)/Fixtures/\(name)")))
}

/// The line that decoding `json` fails with; nil if it succeeds.
func failure<Document: OCISpec.Document>(_: Document.Type, _ json: String) -> String? {
    failure { () throws(DocumentError) in try Document(json: Array(json.utf8)) }
}

func failure(_ decode: () throws(DocumentError) -> some Any) -> String? {
    do throws(DocumentError) {
        _ = try decode()
        return nil
    } catch {
        return error.description
    }
}

/// A document as a value that can be compared.
func value(_ json: [UInt8]) throws -> JSONValue { try JSONText(json).root.value() }

func text(_ json: [UInt8]) -> String { String(decoding: json, as: UTF8.self) }
