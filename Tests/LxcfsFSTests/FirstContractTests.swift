import Control
import Foundation
import Glibc
import JSON
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper

/// What version 7a94d63 has written, and what it requires of others: it had no number for the
/// contract yet, and keepers of it may still run.
@Suite struct FirstContractTests {
    private func path(_ name: String) throws -> String {
        let directory = try #require(
            Bundle.module.url(forResource: "Fixtures/7a94d63", withExtension: nil))
        return directory.appendingPathComponent(name).path
    }

    private func fixture(_ name: String) throws -> [UInt8] { try readFile(try path(name)) }

    private func members(_ text: [UInt8]) throws -> JSONObject {
        guard case .object(let members) = try JSONText(text).root.value() else {
            throw JSONFault("no object")
        }
        return members
    }

    /// A message as the other side sends it, with a descriptor or without.
    private func send(
        _ name: String, as sender: borrowing FileDescriptor, _ descriptor: CInt = -1
    ) throws {
        try MessageSocket(sender.duplicate()).send(try fixture(name), descriptor)
    }

    private func ends() throws -> (keeper: KeeperEnd, worker: WorkerEnd) {
        let ends = try MessageSocket.pair()
        return (
            KeeperEnd(FileDescriptor(owning: ends.0)),
            WorkerEnd(FileDescriptor(owning: ends.1))
        )
    }

    // MARK: - Messages

    private static let payload = "{\"id\":\"a\\\"/\\\\é\\u0001\\n\",\"pid\":4711}\n"

    @Test func theKeeperUnderstandsAWorker() throws {
        let (keeper, worker) = try ends()
        let null = try FileDescriptor.open("/dev/null")
        try send("message-ready.json", as: worker.descriptor)
        try send("message-serving.json", as: worker.descriptor)
        try send("message-answer.json", as: worker.descriptor)
        try send("message-forget.json", as: worker.descriptor)
        try send("message-keep.json", as: worker.descriptor, null.raw)
        guard case .ready(contract: 1)? = try keeper.receive(),
            case .serving? = try keeper.receive(), case .answer? = try keeper.receive(),
            case .forget(name: "seccomp:1")? = try keeper.receive(),
            case .keep(let named)? = try keeper.receive()
        else {
            Issue.record("not understood")
            return
        }
        #expect(named.name == "seccomp:18446744073709551615")
        #expect(named.payload == Self.payload)
    }

    @Test func theWorkerUnderstandsAKeeper() throws {
        let (keeper, worker) = try ends()
        let null = try FileDescriptor.open("/dev/null")
        try send("message-serve.json", as: keeper.descriptor)
        try send("message-finish.json", as: keeper.descriptor)
        try send("message-ask.json", as: keeper.descriptor)
        try send("message-forget.json", as: keeper.descriptor)
        try send("message-keep-without-payload.json", as: keeper.descriptor, null.raw)
        guard case .serve? = try worker.receive(), case .finish? = try worker.receive(),
            case .ask? = try worker.receive(),
            case .forget(name: "seccomp:1")? = try worker.receive(),
            case .keep(let named)? = try worker.receive()
        else {
            Issue.record("not understood")
            return
        }
        #expect(named.name == "seccomp:1")
        #expect(named.payload == "")
    }

    /// The same text, but for the number of the contract, which that version passes over.
    @Test func messagesAreWrittenAlike() throws {
        let (keeper, worker) = try ends()
        let null = try FileDescriptor.open("/dev/null")
        try worker.serving()
        try worker.answer()
        try worker.forget(name: "seccomp:1")
        try worker.keep(null, name: "seccomp:18446744073709551615", payload: Self.payload)
        for name in ["serving", "answer", "forget", "keep"] {
            #expect(try text(keeper.descriptor) == fixture("message-\(name).json"))
        }
        try worker.ready()
        var ready = try members(fixture("message-ready.json"))
        ready["contract"] = .integer(2)
        #expect(try members(text(keeper.descriptor)) == ready)
        try keeper.serve()
        try keeper.finish()
        try keeper.ask()
        try keeper.forget(name: "seccomp:1")
        for name in ["serve", "finish", "ask", "forget"] {
            #expect(try text(worker.descriptor) == fixture("message-\(name).json"))
        }
    }

    private func text(_ receiver: borrowing FileDescriptor) throws -> [UInt8] {
        guard let message = try MessageSocket(receiver.duplicate()).receive() else { return [] }
        if let descriptor = message.descriptor { close(descriptor) }
        return message.bytes
    }

    // MARK: - Setup

    @Test func aSetupIsRead() throws {
        let setup = try WorkerSetup(json: fixture("setup.json"))
        #expect(setup.options == DaemonOptions(mountPoint: "/var/lib/lxcfs"))
        #expect(setup.keeper == 1234)
        #expect(setup.startedAt == UInt64.max - 1)
        #expect(setup.startedAtRealtime == 1_795_918_493)
        #expect(!setup.afterCrash)
        #expect(setup.contract == nil)
        #expect(setup.kept.isEmpty)
    }

    @Test func aSetupWithEverythingIsRead() throws {
        let setup = try WorkerSetup(json: fixture("setup-full.json"))
        var options = DaemonOptions(mountPoint: "/var/lib/lxcfs")
        options.pidFile = "/run/other/é.pid"
        options.runtimeDirectory = "/run/other"
        options.coherence = 0
        options.cpuView = .cpuset
        options.showSwap = false
        options.mountOptions = ["noatime", "fsname=a\"b"]
        options.threads = 3
        options.logsDebugMessages = true
        options.systemCallFilter = .log
        options.usesResend = false
        #expect(setup.options == options)
        #expect(setup.afterCrash)
        #expect(
            setup.kept == [
                WorkerSetup.Kept(name: "seccomp:1", payload: Self.payload, descriptor: 9),
                WorkerSetup.Kept(name: "seccomp:2", payload: "", descriptor: 10),
            ])
    }

    /// Every key that version requires is there, and nothing but the contract is added.
    @Test(arguments: ["setup.json", "setup-full.json"])
    func aSetupIsWrittenAlike(_ name: String) throws {
        var setup = try WorkerSetup(json: fixture(name))
        #expect(encodeLine(setup) == (try fixture(name)))
        setup.contract = Contract.current
        var expected = try members(fixture(name))
        expected["contract"] = .integer(2)
        #expect(try members(encodeLine(setup)) == expected)
        let new = WorkerSetup(
            options: setup.options, startedAt: 1, startedAtRealtime: 2, keeper: 3)
        #expect(try Set(members(encodeLine(new)).keys) == Set(expected.keys))
    }

    // MARK: - What is kept

    @Test func anOriginIsReadAndWrittenAlike() throws {
        let origin = ListenerOrigin(id: "a\"/\\é\u{1}\n", pid: 4711)
        let text = try String(decoding: fixture("origin.json"), as: UTF8.self)
        #expect(StoredListeners.origin(text) == origin)
        #expect(String(decoding: encodeLine(origin), as: UTF8.self) == text)
        let empty = try String(decoding: fixture("origin-empty.json"), as: UTF8.self)
        #expect(StoredListeners.origin(empty) == ListenerOrigin())
        #expect(String(decoding: encodeLine(ListenerOrigin()), as: UTF8.self) == empty)
    }

    @Test func recordsAreReadAndWrittenAlike() throws {
        let records = try KeptRecord.list(fixture("kept.json"))
        #expect(
            records == [
                KeptRecord(name: "seccomp:1", payload: Self.payload, number: 1),
                KeptRecord(name: "other/é", payload: "x", number: 3),
            ])
        #expect(try encodeLine(records) == fixture("kept.json"))
        #expect(try KeptRecord.list(fixture("kept-none.json")).isEmpty)
        #expect(encodeLine([KeptRecord]()) == Array("[]\n".utf8))
    }

    @Test(arguments: ["", "{}", "[1]", "[{}]", "[]}", #"[{"name":"a","payload":"b"}]"#])
    func whatIsNoRecordIsRefused(_ text: String) {
        #expect(throws: JSONFault.self) { try KeptRecord.list(Array(text.utf8)) }
    }
}
