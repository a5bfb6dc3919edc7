import Control
import Glibc
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

@Suite struct KeeperLinkTests {
    @Test func descriptorsGoOverWithNameAndPayload() throws {
        let ends = try MessageSocket.pair()
        let worker = KeeperLink(FileDescriptor(owning: ends.0))
        let keeper = KeeperLink(FileDescriptor(owning: ends.1))
        let file = try SharedMemory.make("test", size: 5)
        try file.write(Array("hello".utf8))
        try worker.keep(file, name: "seccomp:abc", payload: "{\"id\":\"abc\"}")
        try worker.forget(name: "other")

        let first = try #require(try keeper.receive())
        #expect(first.message.kind == .keep)
        #expect(first.message.name == "seccomp:abc")
        #expect(first.message.payload == "{\"id\":\"abc\"}")
        let copy = FileDescriptor(owning: try #require(first.descriptor))
        var bytes = [UInt8](repeating: 0, count: 5)
        let count = try bytes.withUnsafeMutableBytes { try readOnce(copy.raw, into: $0, at: 0) }
        #expect(count == 5)
        #expect(bytes == Array("hello".utf8))

        let second = try #require(try keeper.receive())
        #expect(second.message.kind == .forget)
        #expect(second.descriptor == nil)
    }

    @Test func aPayloadThatIsTooLongIsRefused() throws {
        let ends = try MessageSocket.pair()
        let worker = KeeperLink(FileDescriptor(owning: ends.0))
        close(ends.1)
        let file = try FileDescriptor.open("/dev/null")
        let long = String(repeating: "x", count: 8193)
        #expect(throws: SystemError.self) {
            try worker.keep(file, name: "a", payload: long)
        }
    }

    @Test func theEndOfTheOtherSideIsNoticed() throws {
        let ends = try MessageSocket.pair()
        let worker = KeeperLink(FileDescriptor(owning: ends.0))
        close(ends.1)
        let end = try worker.receive()
        #expect(end == nil)
    }

    /// A worker that waits in the kernel keeps its end open though it will never send again.
    @Test(.timeLimit(.minutes(1))) func theRestIsTakenWithoutWaiting() throws {
        let ends = try MessageSocket.pair()
        let worker = KeeperLink(FileDescriptor(owning: ends.0))
        let keeper = KeeperLink(FileDescriptor(owning: ends.1))
        #expect(try keeper.receiveRest() == nil)
        try worker.forget(name: "a")
        try worker.forget(name: "b")
        #expect(try keeper.receiveRest()?.message.name == "a")
        #expect(try keeper.receiveRest()?.message.name == "b")
        #expect(try keeper.receiveRest() == nil)
    }

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
        #expect(throws: SystemError.self) { try WorkerSetup(argument: "-1") }
        #expect(throws: SystemError.self) { try WorkerSetup(argument: "{}") }
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
