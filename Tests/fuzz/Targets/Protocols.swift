import Cgroups
import Control
import Glibc
import JSON
import KernelText
import Logging
import Syscalls

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

private let quiet = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }

/// In pieces as they come from a socket. What is complete is a document; what is refused never
/// becomes one by more bytes.
@Sendable func fuzzAgentMessage(_ input: Bytes) {
    var parts = Parts(input)
    let step = Int(parts.byte()) + 1
    let text = Array(input.dropFirst())
    var message = AgentMessage()
    var position = 0
    while position < text.count {
        let piece = text[position..<min(position + step, text.count)]
        position += piece.count
        switch message.append(piece) {
        case .incomplete: continue
        case .complete(let origin):
            require(origin.id != nil, "complete without an origin")
            require(
                parsed(ListenerOrigin.self, encodeLine(origin)) == origin,
                "an origin changes when it is kept")
            return
        case .garbled(let reason):
            require(!reason.isEmpty, "refused for no reason")
            return
        }
    }
}

/// A client of the control socket, on the real server: whatever it says, it gets one line of
/// JSON for each line, or nothing as long as it has not sent one.
@Sendable func fuzzControl(_ input: Bytes) {
    roundTrip(Request.self, input, "a request")
    roundTrip(Reply.self, input, "a reply")
    do {
        try controlFixture.exchange(input)
    } catch {
        fatalError("the control server fails: \(error)")
    }
}

private func roundTrip<Message: Fields>(_: Message.Type, _ input: Bytes, _ name: String) {
    guard let message = parsed(Message.self, Array(input)) else { return }
    let line = encodeLine(message)
    require(lineCount(line) == 1, "\(name) of several lines")
    require(parsed(Message.self, line) == message, "\(name) changes on its way")
}

private func parsed<Message: Fields>(_: Message.Type, _ line: [UInt8]) -> Message? {
    try? Message(JSONText(line, keepsUnknown: false).root)
}

private final class ControlFixture: @unchecked Sendable {
    private let path = "/tmp/fuzz-control-\(getpid()).sock"
    private let poller: Poller
    private let server: ControlServer

    init() throws {
        poller = try Poller()
        let path = self.path
        unlink(path)
        atexit { unlink("/tmp/fuzz-control-\(getpid()).sock") }
        server = ControlServer(
            listener: try UnixSocket.listen(path, mode: 0o600), path: path, log: quiet)
        try server.start(poller)
    }

    func exchange(_ input: Bytes) throws {
        let client = try UnixSocket.connect(path, timeout: 1000)
        var asked = 0
        var sent = 0
        // The first byte says how large the pieces are.
        let step = Int(input.first ?? 0) * 16 + 1
        let text = Array(input.dropFirst())
        while sent < text.count {
            let piece = Array(text[sent..<min(sent + step, text.count)])
            sent += piece.count
            if send(client.raw, piece, piece.count, CInt(MSG_NOSIGNAL)) < 0 { break }
            try serve { _ in
                asked += 1
                return Reply(path: "/x")
            }
        }
        shutdown(client.raw, CInt(SHUT_WR))
        for _ in 0..<2 {
            try serve { _ in
                asked += 1
                return Reply(path: "/x")
            }
        }
        let answer = try client.readToEnd(path: path)
        let isComplete = text.contains(UInt8(ascii: "\n"))
        require(asked <= 1, "one connection asks twice")
        if isComplete, text.count < 65536 {
            require(lineCount(answer) == 1, "no single line for a request")
        }
        if !answer.isEmpty {
            guard let reply = parsed(Reply.self, answer) else {
                fatalError("the answer is no reply")
            }
            require((reply.error == nil) == (asked == 1), "an error that is none")
        }
    }

    private func serve(_ answer: (Request) -> Reply) throws {
        while let token = try poller.wait(timeout: 0) {
            guard case .control(let number) = Wakeup(token: token) else {
                fatalError("the control socket has another token")
            }
            server.handle(number, poller, answer: answer)
        }
    }

}

private let controlFixture: ControlFixture = {
    do {
        return try ControlFixture()
    } catch {
        fatalError("no control server: \(error)")
    }
}()

/// What keeper and workers say to each other, also across versions.
@Sendable func fuzzWorker(_ input: Bytes) {
    let text = String(decoding: input, as: UTF8.self)
    if let setup = try? WorkerSetup(json: Array(input)) {
        require(
            (try? WorkerSetup(json: encodeLine(setup))) == setup, "a setup changes on its way")
    }
    if let line = parsed(MessageLine.self, Array(input)) {
        require(
            parsed(MessageLine.self, encodeLine(line)) == line, "a message changes on its way")
    }
    hear(Array(input))
    let origin = StoredListeners.origin(text)
    require(
        StoredListeners.origin(
            String(decoding: encodeLine(origin), as: UTF8.self)) == origin, "another origin")
    _ = StoredListeners.token(text)
    restoreDescriptors(input)
}

/// A message with a descriptor, in both directions: only what is kept has it afterwards.
private func hear(_ message: [UInt8]) {
    // Nothing is the end of the other side.
    guard !message.isEmpty, message.count <= MessageSocket.sizeLimit else { return }
    let before = openCount()
    do {
        let ends = try MessageSocket.pair()
        let keeper = KeeperEnd(FileDescriptor(owning: ends.0))
        let worker = WorkerEnd(FileDescriptor(owning: ends.1))
        try MessageSocket(keeper.descriptor.duplicate()).send(message, keeper.descriptor.raw)
        try MessageSocket(worker.descriptor.duplicate()).send(message, worker.descriptor.raw)
        let open = openCount()
        _ = try? worker.receive()
        _ = try? keeper.receive()
        require(openCount() == open, "a descriptor stays open")
    } catch {
        fatalError("no connection: \(error)")
    }
    require(openCount() == before, "a connection stays open")
}

/// The record of kept descriptors, with the descriptors 1 to 3 in the store.
private func restoreDescriptors(_ input: Bytes) {
    let file = memfd_create("fuzz", 0)
    defer { close(file) }
    guard file >= 0, write(file, input.baseAddress, input.count) == input.count else {
        fatalError("no memory file")
    }
    let before = openCount()
    do {
        func copy() -> HeldDescriptor { HeldDescriptor(FileDescriptor(owning: dup(file))) }
        var stored: [String: HeldDescriptor] = [:]
        for number in 1...3 { stored["kept-\(number)"] = copy() }
        let numbers = Set(stored.values.map { $0.descriptor.raw })
        require(numbers.count == 3 && !numbers.contains(-1), "no descriptors to test with")
        var store = KeptDescriptors()
        do {
            let left = try store.restore(from: "/proc/self/fd/\(file)", stored)
            let kept = store.items.map(\.number)
            require(left.count + kept.count <= 3, "a descriptor is both left and kept")
            require(Set(kept).count == kept.count, "two names of one descriptor")
            require(numbers.isSuperset(of: kept), "a descriptor from nowhere")
            let next = NamedDescriptor(
                name: "next", payload: "", FileDescriptor(owning: dup(file)))
            require(store.keep(next).stored != nil, "no room")
        } catch {
            require(store.items.isEmpty, "half of a record that is not understood")
        }
    }
    require(openCount() == before, "descriptors that nobody closes")
}

/// Of the first 64 numbers.
private func openCount() -> Int { (0..<64).count { fcntl($0, F_GETFD) >= 0 } }

/// The state of a container as the last worker or version left it.
@Sendable func fuzzStateFile(_ input: Bytes) {
    guard let state = parsed(ContainerState.self, Array(input)) else { return }
    require(
        parsed(ContainerState.self, encodeLine(state)) == state,
        "a state changes when it is written")
    let key = ContainerKey.make(for: state.containerID) { $0 == state.id }
    require(!key.utf8.contains(UInt8(ascii: "/")) && !key.hasPrefix("."), "no file name")
    require(key.utf8.count <= ContainerKey.sizeLimit && key != "proc" && key != "sys", "key")
    let paths = state.cgroups
    _ = paths.isRoot
    require(paths.contains(paths), "a cgroup is not in itself")
    for mount in [
        HierarchyMount(unified: true, controllers: [], mountPoint: "/c", root: "/"),
        HierarchyMount(unified: true, controllers: [], mountPoint: "/c", root: "/r"),
    ] {
        if let path = paths.unified, let directory = mount.directory(of: path) {
            let rest = directory.utf8.dropFirst(2)
            require(
                directory.utf8.starts(with: "/c".utf8)
                    && (rest.isEmpty || rest.first == UInt8(ascii: "/")),
                "a cgroup outside of the hierarchy")
        }
    }
}
