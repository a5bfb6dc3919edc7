import Foundation
import Glibc
import Testing

@testable import LxcfsHook

@Suite struct AttachTurnTests {
    private let directory = FileManager.default.temporaryDirectory.path + "/turn-\(UUID())"

    @Test func oneAtATime() throws {
        try FileManager.default.createDirectory(
            atPath: directory + "/containers", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let origin = Origin.daemon(runtimeDirectory: directory)
        let first = try AttachTurn(origin)
        #expect(throws: AttachError.self) { try AttachTurn(origin, patience: 10_000_000) }
        let answer = try first.hold { () throws(AttachError) in
            do throws(AttachError) {
                _ = try AttachTurn(origin, patience: 10_000_000)
                return false
            } catch {
                return "\(error)".contains("another lxcfs-hook")
            }
        }
        #expect(answer)
        #expect(throws: AttachError.refused("no")) {
            try AttachTurn(origin).hold { () throws(AttachError) in throw .refused("no") }
        }
        _ = try AttachTurn(origin, patience: 10_000_000)
    }

    @Test func lxcfsHasNoTurns() throws {
        let origin = Origin.lxcfs(root: "/nowhere")
        let (first, second) = (try AttachTurn(origin), try AttachTurn(origin))
        try first.hold { () throws(AttachError) in try second.hold { () throws(AttachError) in }
        }
    }
}
