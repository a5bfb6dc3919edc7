import Foundation
import Testing

@testable import LxcfsHook

@Suite struct RealRuntimeTests {
    /// Two directories for PATH with programs in them.
    private func inDirectories<Result>(
        _ programs: [String], _ body: (String) throws -> Result
    ) throws -> Result {
        let top = FileManager.default.temporaryDirectory.path + "/lxcfs-runtime-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: top) }
        for directory in ["a", "b"] {
            try FileManager.default.createDirectory(
                atPath: "\(top)/\(directory)", withIntermediateDirectories: true)
        }
        for program in programs {
            let isMade = FileManager.default.createFile(
                atPath: "\(top)/\(program)", contents: Data(),
                attributes: [.posixPermissions: 0o755])
            #expect(isMade)
        }
        return try body(top)
    }

    private func find(
        _ top: String, configured: String? = nil, name: String = "lxcfs-runtime",
        path: String? = nil, ours: [String] = []
    ) throws -> String {
        try RealRuntime.find(
            configured: configured, ownName: name, searchPath: path ?? "\(top)/a:\(top)/b",
            isOurs: { ours.contains(String($0.dropFirst(top.count + 1))) }
        ).path.replacingOccurrences(of: top + "/", with: "")
    }

    @Test func isRuncThenCrunInThePath() throws {
        try inDirectories(["a/crun", "b/runc"]) { (top) throws in
            #expect(try find(top) == "b/runc")
            #expect(try find(top, name: "/x/lxcfs-crun") == "a/crun")
            #expect(try find(top, name: "lxcfs-runc") == "b/runc")
            #expect(try find(top, configured: "crun", name: "lxcfs-runc") == "a/crun")
            #expect(try find(top, configured: "\(top)/a/crun") == "a/crun")
        }
        try inDirectories(["a/crun"]) { (top) throws in
            #expect(try find(top) == "a/crun")
            #expect(throws: RealRuntime.Fault.self) { try find(top, name: "lxcfs-runc") }
        }
    }

    @Test func isNeverItself() throws {
        try inDirectories(["a/runc", "b/runc", "b/crun"]) { (top) throws in
            #expect(try find(top, ours: ["a/runc"]) == "b/runc")
            #expect(try find(top, ours: ["a/runc", "b/runc"]) == "b/crun")
            let error = #expect(throws: RealRuntime.Fault.self) {
                try find(top, ours: ["a/runc", "b/runc", "b/crun"])
            }
            #expect(error?.description.contains("is lxcfs-runtime itself") == true)
            #expect(throws: RealRuntime.Fault.self) {
                try find(top, configured: "\(top)/a/runc", ours: ["a/runc"])
            }
        }
    }

    @Test func isNothingFromTheWorkingDirectory() throws {
        try inDirectories(["a/runc"]) { (top) throws in
            #expect(throws: RealRuntime.Fault.self) { try find(top, path: "a:.::b") }
            #expect(throws: RealRuntime.Fault.self) { try find(top, configured: "\(top)/a") }
        }
    }

    @Test func aMarkIsFoundInAnyProgramThatHasIt() throws {
        var elf = [UInt8](repeating: 0, count: 64 + 2 * 56)
        func put(_ value: UInt64, _ size: Int, at offset: Int) {
            for index in 0..<size { elf[offset + index] = UInt8(value >> (8 * index) & 255) }
        }
        elf.replaceSubrange(0..<6, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
        put(64, 8, at: 32)
        put(56, 2, at: 54)
        put(2, 2, at: 56)
        put(1, 4, at: 64)
        put(4, 4, at: 64 + 56)
        put(UInt64(elf.count), 8, at: 64 + 56 + 8)
        func note(_ name: String) -> [UInt8] {
            let bytes = Array(name.utf8) + [0]
            return [UInt8(bytes.count), 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0] + bytes
                + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) + [1, 2, 3, 4]
        }
        func isMarked(_ notes: [UInt8]) -> Bool {
            put(UInt64(notes.count), 8, at: 64 + 56 + 32)
            let file = elf + notes
            return RuntimeMark.isMarked { offset, count in
                let start = Int(clamping: min(offset, UInt64(file.count)))
                return Array(file[start...].prefix(count))
            }
        }
        #expect(isMarked(note("GNU") + note("lxcfs-runtime")))
        #expect(!isMarked(note("GNU") + note("lxcfs-runtimes")))
        #expect(!isMarked(note("GNU")))
        #expect(!isMarked([]))
    }
}
