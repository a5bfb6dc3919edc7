import Foundation
import Glibc
import LxcfsHook
import Testing

@testable import EngineSetup

/// A directory that is an engine's `/`, until the test ends.
final class TemporaryRoot {
    let path: String
    var root: Root { Root(path) }

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/lxcfs-hook-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: path + "/var/lib", withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to file: String) throws {
        let place = path + file
        let directory = place[..<(place.lastIndex(of: "/") ?? place.startIndex)]
        try FileManager.default.createDirectory(
            atPath: String(directory), withIntermediateDirectories: true)
        try text.write(toFile: place, atomically: false, encoding: .utf8)
    }

    func read(_ file: String) -> String? {
        try? String(contentsOfFile: path + file, encoding: .utf8)
    }

    /// All files, and directories that are empty, with their contents.
    func content() throws -> [String: String] {
        var content: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            content[name] = read("/" + name) ?? "directory"
        }
        return content
    }

    static func fixture(_ name: String) throws -> String {
        let url = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
        return try String(contentsOf: url.appendingPathComponent(name), encoding: .utf8)
    }

    func install(
        _ engine: EngineName, isDefault: Bool = false,
        _ change: (inout SetupRequest) -> Void = { _ in }
    ) throws {
        var request = SetupRequest(.install, engine)
        request.root = path
        request.setsDefault = isDefault
        change(&request)
        var run = SetupRun(request)
        try run.install()
    }

    func uninstall(_ engine: EngineName) throws {
        var request = SetupRequest(.uninstall, engine)
        request.root = path
        var run = SetupRun(request)
        try run.uninstall()
    }
}
