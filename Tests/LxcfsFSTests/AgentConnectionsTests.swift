import Glibc
import Logging
import Syscalls
import Testing

@testable import LxcfsFS

@Suite struct AgentConnectionsTests {
    private func connection(
        _ token: UInt64, peer: Int32 = 1, deadline: UInt64 = 100
    ) throws -> AgentConnection {
        AgentConnection(
            try EventDescriptor.make(), token: token, peer: peer, deadline: deadline)
    }

    @Test func oneProcessHasAFew() throws {
        let connections = AgentConnections()
        let all = try (0..<UInt64(AgentConnections.peerLimit)).map { try connection($0) }
        for one in all {
            let (isAdded, superseded) = connections.add(one)
            #expect(isAdded && superseded == nil)
        }
        // A thread deals with each of them.
        #expect(!connections.add(try connection(1000)).isAdded)
        #expect(connections.add(try connection(1001, peer: 2)).isAdded)
        connections.giveBack(all[5])
        let (isAdded, superseded) = connections.add(try connection(1002))
        #expect(isAdded && superseded?.token == 5)
        #expect(connections.count == AgentConnections.peerLimit + 1)
    }

    @Test func whoSaysNothingGoesFirst() throws {
        let connections = AgentConnections()
        for token in 0..<UInt64(AgentConnections.limit) {
            let one = try connection(token, peer: Int32(token))
            #expect(connections.add(one).isAdded)
            if token < 10 { _ = one.message.append([UInt8(ascii: "{")]) }
            connections.giveBack(one)
        }
        // One that a thread deals with stays.
        #expect(connections.take(10) != nil)
        #expect(connections.take(10) == nil)
        for next in 0..<20 as Range<UInt64> {
            let one = try connection(1000 + next, peer: 5000)
            let (isAdded, superseded) = connections.add(one)
            #expect(isAdded)
            #expect(superseded?.token == 11 + next)
        }
        #expect(connections.count == AgentConnections.limit)
    }

    @Test func lateOnesEnd() throws {
        let connections = AgentConnections()
        let early = try connection(1, deadline: 100)
        let late = try connection(2, deadline: 200_000_000)
        let busy = try connection(3, deadline: 100)
        for one in [early, late, busy] { #expect(connections.add(one).isAdded) }
        connections.giveBack(early)
        connections.giveBack(late)
        #expect(connections.takeLate(now: 99).late.isEmpty)
        let (due, next) = connections.takeLate(now: 100)
        #expect(due.map(\.token) == [1])
        // The one that a thread deals with is looked at again.
        #expect(next == 100 + 10_000_000)
        connections.remove(busy)
        #expect(connections.takeLate(now: 100).next == 200_000_000)
        connections.giveBack(busy)
        #expect(connections.count == 1)
    }

    @Test func messagesAreBoundedTogether() throws {
        let connections = AgentConnections()
        let first = try connection(1)
        let second = try connection(2)
        for one in [first, second] { #expect(connections.add(one).isAdded) }
        let most = AgentConnections.sizeLimit
        #expect(connections.note(first, size: most - 10))
        #expect(connections.note(second, size: 10))
        #expect(!connections.note(second, size: 11))
        connections.remove(second)
        #expect(connections.note(first, size: most))
        connections.remove(first)
        let third = try connection(3)
        #expect(connections.add(third).isAdded)
        #expect(connections.note(third, size: most))
    }

    @Test func otherDescriptorsAreNotKept() throws {
        let one = try connection(1)
        let others = try (0..<100).map { _ in HeldDescriptor(try EventDescriptor.make()) }
        #expect(one.take(others))
        #expect(one.listeners.isEmpty)
        #expect(!one.hasSpoken)
    }
}

@Suite struct LimitedLogTests {
    /// What was logged.
    private final class Lines: LogHandler, @unchecked Sendable {
        var lines: [String] = []
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { lines.append("\(event.level) \(event.message)") }
    }

    @Test func oneOfAKind() {
        let lines = Lines()
        let log = LimitedLog(Logger(label: "test") { _ in lines })
        let start: UInt64 = 1_000_000_000_000
        #expect(log.note(.failure, .error, now: start) { "first" } == nil)
        let due = log.note(.failure, .error, now: start + 1) { "second" }
        #expect(due == start + LimitedLog.interval)
        _ = log.note(.failure, .error, now: start + 2) { "third" }
        _ = log.note(.strangers, .warning, now: start + 3) { "another" }
        #expect(lines.lines == ["error first", "warning another"])
        #expect(log.flush(now: start + 4) == start + LimitedLog.interval)
        lines.lines = []
        let later = start + LimitedLog.interval
        #expect(log.flush(now: later) == nil)
        #expect(lines.lines == ["error 2 lines like this were left out: third"])
        // That line was one of its kind.
        _ = log.note(.failure, .error, now: later + 1) { "fourth" }
        #expect(lines.lines.count == 1)
        #expect(log.flush(now: later + 2) == later + LimitedLog.interval)
        _ = log.flush(now: later + LimitedLog.interval)
        _ = log.flush(now: later + 2 * LimitedLog.interval)
        #expect(log.note(.failure, .error, now: later + 2 * LimitedLog.interval) { "x" } == nil)
    }
}
