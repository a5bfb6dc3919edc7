import Control
import Glibc
import JSON
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper

@Suite struct WorkerSetupTests {
    /// An argument may have 128 kB.
    @Test func aSetupMayBeLong() throws {
        var setup = WorkerSetup(
            options: DaemonOptions(mountPoint: "/x"), startedAt: 1, startedAtRealtime: 2,
            keeper: 3)
        setup.kept = (0..<10_000).map {
            WorkerSetup.Kept(name: "seccomp:\($0)", payload: "payload", descriptor: $0)
        }
        let file = try setup.inMemory()
        let again = try WorkerSetup(argument: "\(try file.duplicate().release())")
        #expect(again.kept == setup.kept)
        #expect(throws: DaemonError.self) { try WorkerSetup(argument: "-1") }
        #expect(throws: DaemonError.self) { try WorkerSetup(argument: "{}") }
    }

    @Test func aSetupComesBackFromItsText() throws {
        var setup = WorkerSetup(
            options: DaemonOptions(mountPoint: "/x"), startedAt: 1, startedAtRealtime: 2,
            keeper: 3)
        setup.kept = [WorkerSetup.Kept(name: "a", payload: "b", descriptor: 9)]
        // What a newer keeper may add is passed over.
        let text =
            #"{"later":1,"# + String(decoding: encodeLine(setup), as: UTF8.self).dropFirst()
        let again = try WorkerSetup(json: Array(text.utf8))
        #expect(again.kept == setup.kept)
        #expect(again.options.mountPoint == "/x")
        #expect(again.options.systemCallFilter == .kill)
    }
}
