import Control
import Glibc
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

/// The two ends of a connection, and a socket that says what no end of ours would.
private struct Ends {
    let keeper: KeeperEnd
    let worker: WorkerEnd

    init() throws {
        let ends = try MessageSocket.pair()
        keeper = KeeperEnd(FileDescriptor(owning: ends.0))
        worker = WorkerEnd(FileDescriptor(owning: ends.1))
    }

    /// Sends a text as the worker or the keeper, with the writing end of a pipe.
    ///
    /// - Returns: the reading end, which says when the other one has been closed.
    func send(
        _ text: String, as sender: borrowing FileDescriptor
    ) throws -> HeldDescriptor {
        var pipe: [CInt] = [-1, -1]
        try #require(pipe2(&pipe, O_CLOEXEC) == 0)
        let writer = FileDescriptor(owning: pipe[1])
        let reader = HeldDescriptor(FileDescriptor(owning: pipe[0]))
        try MessageSocket(sender.duplicate()).send(Array(text.utf8), writer.raw)
        return reader
    }
}

/// Whether nobody has the writing end of a pipe any more. Children that other tests start may
/// have it for a moment.
private func isClosed(_ reader: HeldDescriptor) -> Bool {
    var request = pollfd(fd: reader.descriptor.raw, events: 0, revents: 0)
    return poll(&request, 1, 10_000) == 1 && request.revents & Int16(POLLHUP) != 0
}

private func isOpen(_ reader: HeldDescriptor) -> Bool {
    var request = pollfd(fd: reader.descriptor.raw, events: 0, revents: 0)
    return poll(&request, 1, 0) == 0
}

@Suite struct KeeperLinkTests {
    @Test func descriptorsGoOverWithNameAndPayload() throws {
        let ends = try Ends()
        let file = try SharedMemory.make("test", size: 5)
        try file.write(Array("hello".utf8))
        try ends.worker.keep(file, name: "seccomp:abc", payload: "{\"id\":\"abc\"}")
        try ends.worker.forget(name: "other")

        guard case .keep(let named)? = try ends.keeper.receive() else {
            Issue.record("no keep")
            return
        }
        #expect(named.name == "seccomp:abc")
        #expect(named.payload == "{\"id\":\"abc\"}")
        var bytes = [UInt8](repeating: 0, count: 5)
        let copy = named.takeDescriptor()
        let count = try bytes.withUnsafeMutableBytes { try readOnce(copy.raw, into: $0, at: 0) }
        #expect(count == 5)
        #expect(bytes == Array("hello".utf8))
        #expect(try forgotten(ends.keeper) == "other")
    }

    private func forgotten(_ keeper: KeeperEnd) throws -> String? {
        guard case .forget(let name)? = try keeper.receiveRest() else { return nil }
        return name
    }

    @Test func eachSideUnderstandsTheOther() throws {
        let ends = try Ends()
        try ends.worker.ready()
        try ends.worker.serving()
        try ends.worker.answer()
        #expect(try heard(ends.keeper) == "ready 2")
        #expect(try heard(ends.keeper) == "serving")
        #expect(try heard(ends.keeper) == "answer")
        try ends.keeper.serve()
        try ends.keeper.finish()
        try ends.keeper.ask()
        try ends.keeper.forget(name: "a")
        try ends.keeper.keep(
            NamedDescriptor(name: "b", payload: "c", try FileDescriptor.open("/dev/null")))
        #expect(try heard(ends.worker) == "serve")
        #expect(try heard(ends.worker) == "finish")
        #expect(try heard(ends.worker) == "ask")
        #expect(try heard(ends.worker) == "forget a")
        #expect(try heard(ends.worker) == "keep b c")
    }

    /// Only the descriptor of a `keep` that is whole stays open.
    @Test(arguments: [
        #"{"kind":"ready"}"#, #"{"kind":"serving"}"#, #"{"kind":"answer"}"#,
        #"{"kind":"forget","name":"a"}"#, #"{"kind":"forget"}"#, #"{"kind":"keep"}"#,
        #"{"kind":"keep","payload":"a"}"#, #"{"kind":"serve"}"#, #"{"kind":"finish"}"#,
        #"{"kind":"ask"}"#, #"{"kind":"later","name":"a","payload":"b"}"#,
        #"{"kind":"keep","name":"a","payload":"too long"}"#,
    ])
    func whatNobodyTakesIsClosed(_ short: String) throws {
        let text = short.replacing("too long", with: String(repeating: "x", count: 8193))
        let ends = try Ends()
        let fromWorker = try ends.send(text, as: ends.worker.descriptor)
        let fromKeeper = try ends.send(text, as: ends.keeper.descriptor)
        #expect(try heard(ends.keeper) != nil)
        #expect(try heard(ends.worker) != nil)
        #expect(isClosed(fromWorker))
        #expect(isClosed(fromKeeper))
    }

    @Test func whatIsTakenStaysOpen() throws {
        let ends = try Ends()
        let reader = try ends.send(#"{"kind":"keep","name":"a"}"#, as: ends.worker.descriptor)
        guard case .keep(let named)? = try ends.keeper.receive() else {
            Issue.record("no keep")
            return
        }
        #expect(named.payload.isEmpty)
        #expect(isOpen(reader))
        let descriptor = named.takeDescriptor()
        #expect(isOpen(reader))
        _ = consume descriptor
        #expect(isClosed(reader))
    }

    @Test(arguments: [
        " ", "ready", "[]", "3", #"{"kind":"ready""#, "{}", #"{"kind":1}"#,
        #"{"kind":"forget","name":1}"#, "\u{0}", "too long",
    ])
    func whatIsNoMessageIsAnError(_ short: String) throws {
        let text = short.replacing("too long", with: String(repeating: "x", count: 20_000))
        let ends = try Ends()
        let fromWorker = try ends.send(text, as: ends.worker.descriptor)
        let fromKeeper = try ends.send(text, as: ends.keeper.descriptor)
        #expect(throws: DaemonError.self) { try heard(ends.keeper) }
        #expect(throws: DaemonError.self) { try heard(ends.worker) }
        #expect(isClosed(fromWorker))
        #expect(isClosed(fromKeeper))
    }

    /// What it says goes to the log.
    @Test func anUnknownWordIsCutAndQuoted() throws {
        let ends = try Ends()
        let word = "\\n\\u001b" + String(repeating: "x", count: 1000)
        _ = try ends.send(#"{"kind":"\#(word)"}"#, as: ends.worker.descriptor)
        let summary = try #require(try heard(ends.keeper))
        #expect(summary.utf8.count < 150)
        #expect(summary.utf8.allSatisfy { $0 >= 0x20 })
    }

    @Test func aPayloadThatIsTooLongIsRefused() throws {
        let ends = try Ends()
        let file = try FileDescriptor.open("/dev/null")
        let long = String(repeating: "x", count: 8193)
        #expect(throws: DaemonError.self) {
            try ends.worker.keep(file, name: "a", payload: long)
        }
        // The other side would get a part of it only.
        let escaped = String(repeating: "\u{1}", count: 8000)
        #expect(throws: DaemonError.self) {
            try ends.worker.keep(file, name: "a", payload: escaped)
        }
        #expect(throws: DaemonError.self) {
            try ends.keeper.keep(
                NamedDescriptor(
                    name: "a", payload: escaped, try FileDescriptor.open("/dev/null")))
        }
    }

    @Test func theEndOfTheOtherSideIsNoticed() throws {
        let ends = try MessageSocket.pair()
        let worker = WorkerEnd(FileDescriptor(owning: ends.0))
        close(ends.1)
        #expect(try heard(worker) == nil)
    }

    /// A worker that waits in the kernel keeps its end open though it will never send again.
    @Test(.timeLimit(.minutes(1))) func theRestIsTakenWithoutWaiting() throws {
        let ends = try Ends()
        #expect(try forgotten(ends.keeper) == nil)
        try ends.worker.forget(name: "a")
        try ends.worker.forget(name: "b")
        #expect(try forgotten(ends.keeper) == "a")
        #expect(try forgotten(ends.keeper) == "b")
        #expect(try forgotten(ends.keeper) == nil)
    }
}

/// What a message says, for comparing; nil at the end.
private func heard(_ keeper: KeeperEnd) throws -> String? {
    guard let message = try keeper.receive() else { return nil }
    switch consume message {
    case .ready(let contract): return "ready \(contract)"
    case .serving: return "serving"
    case .answer: return "answer"
    case .keep(let named): return "keep \(named.name) \(named.payload)"
    case .forget(let name): return "forget \(name)"
    case .other(let summary): return summary
    }
}

private func heard(_ worker: WorkerEnd) throws -> String? {
    guard let message = try worker.receive() else { return nil }
    switch consume message {
    case .serve: return "serve"
    case .finish: return "finish"
    case .ask: return "ask"
    case .keep(let named): return "keep \(named.name) \(named.payload)"
    case .forget(let name): return "forget \(name)"
    case .other(let summary): return summary
    }
}
