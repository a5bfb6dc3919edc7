import Control
import Glibc
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

@Suite struct AgentMessageTests {
    /// As runc 1.1.5 sends it, shortened.
    private let message = """
        {"ociVersion":"1.0.2-dev","fds":["seccompFd"],"pid":4711,"metadata":"lxcfs-hook",\
        "state":{"ociVersion":"1.0.2-dev","id":"c}1","status":"creating","pid":4711,\
        "bundle":"/b","annotations":{"a":"}"}}}
        """

    private func origin(_ progress: AgentMessage.Progress) -> ListenerOrigin? {
        if case .complete(let origin) = progress { return origin }
        return nil
    }

    @Test func endsWithTheDocument() {
        var whole = AgentMessage()
        #expect(
            origin(whole.append(message.utf8)) == ListenerOrigin(id: "c}1", pid: 4711))
        var indented = AgentMessage()
        #expect(origin(indented.append("\n {\n".utf8)) == nil)
        #expect(origin(indented.append((message.dropFirst() + "\n\n").utf8)) != nil)
    }

    @Test func byteByByte() {
        var parts = AgentMessage()
        for byte in message.utf8.dropLast() {
            guard case .incomplete = parts.append([byte]) else {
                Issue.record("done at \(parts.text.count)")
                return
            }
        }
        #expect(origin(parts.append([UInt8(ascii: "}")])) != nil)
    }

    @Test(arguments: ["{}", "[1]}", #"{"ociVersion":1}"#, "}"])
    func nonsenseIsNotWaitedFor(_ text: String) {
        var message = AgentMessage()
        guard case .garbled = message.append(text.utf8) else {
            Issue.record("not refused")
            return
        }
    }

    @Test func hasAnEnd() {
        var message = AgentMessage()
        let megabyte = [UInt8](repeating: 0x20, count: 1 << 20)
        for _ in 0..<4 { _ = message.append(megabyte) }
        guard case .garbled = message.append(megabyte) else {
            Issue.record("reads for ever")
            return
        }
    }
}

@Suite struct AgentListenersTests {
    private func descriptor() throws -> HeldDescriptor {
        HeldDescriptor(try EventDescriptor.make())
    }

    private final class Store: ListenerStore, @unchecked Sendable {
        var kept: [UInt64] = []
        var isFull = false
        func keep(_ listener: AgentListener) throws {
            if isFull { throw SystemError("keep", "a listener", errno: ETOOMANYREFS) }
            kept.append(listener.token)
        }
        func forget(_ listener: AgentListener) { kept.removeAll { $0 == listener.token } }
    }

    @Test func numbersAreUnique() throws {
        let store = Store()
        let listeners = AgentListeners(store: store)
        let first = try #require(listeners.add(try descriptor(), ListenerOrigin(id: "a")))
        #expect(first.token != AgentSocket.token)
        // One that an earlier process had keeps its number.
        let inherited = listeners.adopt(
            try descriptor(), ListenerOrigin(id: "b"), token: 100)
        #expect(inherited.token == 100)
        #expect(listeners.takeToken() > 100)
        let third = try #require(listeners.add(try descriptor(), ListenerOrigin()))
        #expect(third.token > 101)
        #expect(listeners.count == 3)
        // What is inherited is kept already.
        #expect(store.kept == [first.token, third.token])
        try listeners.remove(inherited)
        #expect(listeners[100] == nil)
        try listeners.remove(first)
        #expect(store.kept == [third.token])
    }

    @Test func whatCouldNotBeStoredIsStoredLater() throws {
        let store = Store()
        let listeners = AgentListeners(store: store)
        store.isFull = true
        let all = try (0..<3).map { _ in
            try #require(listeners.add(try descriptor(), ListenerOrigin(id: "a")))
        }
        #expect(listeners.isUnstored)
        #expect(listeners.storeRest() != nil)
        try listeners.remove(all[1])
        store.isFull = false
        #expect(listeners.storeRest() == nil)
        #expect(store.kept == [all[0].token, all[2].token])
        #expect(!listeners.isUnstored)
    }

    @Test func descriptorsAreClosedWithTheirListener() throws {
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        let writer = ends[1]
        defer { close(writer) }
        // A pipe without a reader is in error.
        func isClosed() -> Bool {
            var request = pollfd(fd: writer, events: 0, revents: 0)
            return poll(&request, 1, 0) == 1 && request.revents & Int16(POLLERR) != 0
        }
        let listeners = AgentListeners()
        do {
            let listener = try #require(
                listeners.add(
                    HeldDescriptor(FileDescriptor(owning: ends[0])), ListenerOrigin()))
            let isListener = SeccompNotify.isListener(listener.descriptor)
            #expect(!isListener)
            try listeners.remove(listener)
            // Whoever serves it at the moment may still use it.
            withExtendedLifetime(listener) { #expect(!isClosed()) }
        }
        #expect(isClosed())
    }

    @Test func whatWasInFlightIsSeenByTheNextWorker() {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: AgentSlots.size, alignment: 8)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: AgentSlots.size)
        #expect(AgentSlots(memory)[3].inFlight == nil)
        let slot = memory + 3 * NotificationSlot.size
        slot.storeBytes(of: 7, as: UInt64.self)
        // Not yet received.
        #expect(AgentSlots(memory)[3].inFlight == nil)
        slot.storeBytes(of: 99, toByteOffset: 16, as: UInt64.self)
        slot.storeBytes(of: 4711, toByteOffset: 24, as: UInt32.self)
        slot.storeBytes(of: 0x1000, toByteOffset: 48, as: UInt64.self)
        let next = AgentSlots(memory)[3]
        #expect(next.inFlight?.listener == 7)
        #expect(next.inFlight?.id == 99)
        #expect(next.call.tid == 4711)
        #expect(next.call.arguments.0 == 0x1000)
        next.clear()
        #expect(AgentSlots(memory)[3].inFlight == nil)
    }

    @Test func namesOfWhatIsKept() {
        #expect(StoredListeners.token("seccomp:18") == 18)
        #expect(StoredListeners.token("seccomp:") == nil)
        #expect(StoredListeners.token("trigger:18") == nil)
        #expect(StoredListeners.token("seccomp:0") == nil)
        // Nobody could count on from there.
        #expect(StoredListeners.token("seccomp:\(UInt64.max)") == nil)
        #expect(StoredListeners.token("seccomp:\(UInt64.max - 1)") == nil)
        let origin = ListenerOrigin(id: "c1", pid: 7)
        let text = String(decoding: encodeLine(origin), as: UTF8.self)
        #expect(StoredListeners.origin(text) == origin)
        #expect(StoredListeners.origin("{") == ListenerOrigin())
        var known = origin
        known.initPID = 5
        known.initStart = 1 << 50
        known.cgroup = "/a\"b"
        let more = String(decoding: encodeLine(known), as: UTF8.self)
        #expect(StoredListeners.origin(more) == known)
        known.id = String(repeating: "\u{1}", count: 4000)
        known.cgroup = AgentAnswers.brief("/" + String(repeating: "a", count: 4000))
        let short = StoredListeners.payload(known)
        #expect(short.utf8.count < NamedDescriptor.payloadLimit)
        known.id = nil
        #expect(StoredListeners.origin(short) == known)
        #expect(AgentAnswers.brief("/a/b") == "/a/b")
        // What release 0.1.0 has written, and what a later one may add.
        #expect(StoredListeners.origin(#"{"id":"c1","pid":7}"#) == origin)
        #expect(StoredListeners.origin(#"{"id":"c1","pid":7,"of":"tomorrow"}"#) == origin)
    }
}
