import Syscalls
import Testing

@testable import LxcfsFS

@Suite struct AgentShareTests {
    private func listener(
        _ listeners: AgentListeners, _ origin: ListenerOrigin = ListenerOrigin(id: "c")
    ) throws -> AgentListener {
        try #require(listeners.add(HeldDescriptor(try EventDescriptor.make()), origin))
    }

    private let start: UInt64 = 1_000_000_000

    /// One call that takes no time.
    private func call(_ listener: AgentListener, _ now: UInt64) -> AgentShare.Turn {
        let turn = listener.share.begin(listener, now: now)
        if turn == .answer {
            _ = listener.share.end(startedAt: now, cpu: 0, now: now)
        }
        return turn
    }

    /// However many listeners it has.
    @Test func whoCallsTooOftenWaits() throws {
        let listeners = AgentListeners()
        let all = try (0..<4).map { _ in try listener(listeners) }
        for index in 0..<64 { #expect(call(all[index % 4], start) == .answer) }
        for one in all { #expect(call(one, start + 1) == .wait(until: start + 10_000_000)) }
        // Nobody else does.
        let other = try listener(listeners, ListenerOrigin(id: "d"))
        #expect(call(other, start + 1) == .answer)
        let share = all[0].share
        #expect(share.takeWaiting(now: start + 5).rest == start + 10_000_000)
        let due = share.takeWaiting(now: start + 10_000_000)
        #expect(due.listeners.map(\.token) == all.map(\.token))
        #expect(due.rest == nil)
        #expect(call(all[2], start + 10_000_000) == .answer)
        // A few calls a second are never too many.
        for step in 1..<1000 {
            #expect(call(all[0], start + 10_000_000 + UInt64(step) * 1_000_000) == .answer)
        }
    }

    @Test func oneCallOfManyListenersEach() throws {
        let listeners = AgentListeners()
        let all = try (0..<200).map { _ in try listener(listeners) }
        var answers = 0
        for one in all where call(one, start) == .answer { answers += 1 }
        #expect(answers == 64)
        let (due, rest) = all[0].share.takeWaiting(now: start + 10_000_000)
        #expect(due.count == 64)
        #expect(rest == start + 20_000_000)
    }

    @Test func cpuTimeIsPaidFor() throws {
        let one = try listener(AgentListeners())
        let share = one.share
        #expect(share.begin(one, now: start) == .answer)
        // One call that takes 12 ms: ten are more than it may take in advance.
        #expect(share.end(startedAt: start, cpu: 12_000_000, now: start) == nil)
        #expect(call(one, start) == .wait(until: start + 50_000_000))
        #expect(share.takeWaiting(now: start + 49_000_000).listeners.isEmpty)
        #expect(share.takeWaiting(now: start + 50_000_000).listeners.count == 1)
        #expect(call(one, start + 50_000_000) == .answer)
        // In the long run a fifth of one CPU, and calls of 20 us are never in the way of 64.
        var now = start + 1_000_000_000
        var used: UInt64 = 0
        let begin = now
        while now < begin + 1_000_000_000 {
            if case .wait(let end) = share.begin(one, now: now) {
                now = end
                _ = share.takeWaiting(now: now)
            } else {
                used += 500_000
                now += 500_000
                _ = share.end(startedAt: now - 500_000, cpu: 500_000, now: now)
            }
        }
        #expect((180_000_000...210_000_000).contains(used))
    }

    @Test func atMostTwoThreadsWorkForOneContainer() throws {
        let listeners = AgentListeners()
        let all = try (0..<4).map { _ in try listener(listeners) }
        let share = all[0].share
        #expect(share.begin(all[0], now: start) == .answer)
        #expect(share.begin(all[1], now: start + 5) == .answer)
        #expect(share.begin(all[2], now: start + 6) == .wait(until: start + 5 + 100_000_000))
        // The first that comes back is followed by who waits.
        let next = share.end(startedAt: start, cpu: 1000, now: start + 10)
        #expect(next === all[2])
        #expect(share.begin(all[2], now: start + 11) == .answer)
        // When both are held, the kernel answers, as often as we would have.
        let later = start + 11 + 100_000_000
        for _ in 0..<64 { #expect(share.begin(all[3], now: later) == .pass) }
        #expect(share.begin(all[3], now: later) == .wait(until: later + 10_000_000))
        _ = share.end(startedAt: start + 5, cpu: 0, now: later + 10_000_000)
        #expect(share.begin(all[0], now: later + 10_000_000) == .answer)
        // One, where several containers hold threads.
        let other = try listener(listeners, ListenerOrigin(id: "d"))
        #expect(other.share.begin(other, limit: 1, now: start) == .answer)
        #expect(
            other.share.begin(other, limit: 1, now: start) == .wait(until: start + 100_000_000))
    }

    @Test func listenersOfAContainerAreBounded() throws {
        let listeners = AgentListeners()
        var kept: [AgentListener] = []
        let descriptor = HeldDescriptor(try EventDescriptor.make())
        for _ in 0..<AgentShare.listenerLimit {
            kept.append(try #require(listeners.add(descriptor, ListenerOrigin(id: "c"))))
        }
        #expect(listeners.add(descriptor, ListenerOrigin(id: "c", pid: 5)) == nil)
        #expect(listeners.add(descriptor, ListenerOrigin(id: "d")) != nil)
        // Those that run already are taken over all the same.
        _ = listeners.adopt(descriptor, ListenerOrigin(id: "c"), token: 10_000)
        try listeners.remove(kept[0])
        #expect(listeners.add(descriptor, ListenerOrigin(id: "c")) == nil)
        try listeners.remove(kept[1])
        // Twice is once.
        try listeners.remove(kept[1])
        #expect(listeners.add(descriptor, ListenerOrigin(id: "c")) != nil)
        #expect(listeners.add(descriptor, ListenerOrigin(id: "c")) == nil)
        let few = AgentListeners(limit: 2)
        for id in ["a", "b"] { #expect(few.add(descriptor, ListenerOrigin(id: id)) != nil) }
        #expect(few.add(descriptor, ListenerOrigin(id: "c")) == nil)
    }

    /// The same id in two engines is two containers; an `exec` belongs to its container, by
    /// whatever name somebody calls it.
    @Test func whatAContainerIs() throws {
        let listeners = AgentListeners()
        var first = ListenerOrigin(id: "c", pid: 10)
        first.initPID = 10
        first.initStart = 7
        first.cgroup = "/pod/c"
        var exec = first
        exec.pid = 11
        exec.id = "d"
        var restarted = first
        restarted.initStart = 8
        var sibling = first
        sibling.cgroup = "/pod/d"
        let shares = try [
            first, exec, restarted, sibling, ListenerOrigin(id: "c", pid: 10),
            ListenerOrigin(id: "c", pid: 11), ListenerOrigin(id: "d", pid: 12),
        ].map { try listener(listeners, $0).share }
        #expect(shares[0] === shares[1])
        for other in shares[2...] { #expect(shares[0] !== other) }
        #expect(shares[2] !== shares[3])
        // Of whom nothing else is known.
        #expect(shares[4] === shares[5])
        #expect(shares[4] !== shares[6])
    }

    @Test func pausesEnd() throws {
        let alarm = try AgentAlarm()
        let pauses = AgentPauses(alarm)
        #expect(pauses.takeDue(now: start).isEmpty)
        let listeners = AgentListeners()
        let first = try listener(listeners, ListenerOrigin(id: "a"))
        let second = try listener(listeners, ListenerOrigin(id: "b"))
        for one in [first, second] {
            for _ in 0..<64 { #expect(call(one, start) == .answer) }
            #expect(call(one, start) == .wait(until: start + 10_000_000))
        }
        pauses.add(first.share, until: start + 10_000_000)
        pauses.add(second.share, until: start + 20_000_000)
        #expect(pauses.takeDue(now: start + 9_000_000).isEmpty)
        #expect(pauses.takeDue(now: start + 10_000_000).map(\.token) == [first.token])
        #expect(pauses.takeDue(now: start + 20_000_000).map(\.token) == [second.token])
        #expect(pauses.takeDue(now: start + 30_000_000).isEmpty)
    }

    /// Asked for by a thread that then does something else.
    @Test func theAlarmWakesWhoeverIsThere() throws {
        let poller = try Poller()
        let alarm = try AgentAlarm()
        try alarm.start(poller)
        #expect(try poller.wait(timeout: 0) == nil)
        alarm.ask(at: Clock.monotonic() + 3_600_000_000_000)
        #expect(try poller.wait(timeout: 0) == nil)
        alarm.ask(at: Clock.monotonic() + 1_000_000)
        #expect(try poller.wait(timeout: 10_000) == AgentAlarm.token)
        alarm.silence()
        alarm.ask(at: Clock.monotonic())
        try alarm.rearm(poller)
        #expect(try poller.wait(timeout: 10_000) == AgentAlarm.token)
        alarm.silence()
        try alarm.rearm(poller)
        #expect(try poller.wait(timeout: 20) == nil)
    }
}

@Suite struct AgentCrewTests {
    @Test func oneAlwaysStaysOut() {
        let crew = AgentCrew()
        for index in 0..<AgentCrew.usual { #expect(crew.add() == index) }
        #expect(crew.begin() && crew.begin())
        #expect(!crew.begin())
        #expect(crew.add() == 3)
        #expect(crew.begin())
        #expect(crew.limit == 2)
        // Two wait: this one and the new one.
        #expect(!crew.dismiss(slot: 0))
        for _ in 0..<3 { crew.end() }
        #expect(crew.dismiss(slot: 3))
        #expect(crew.threads == 3)
        #expect(!crew.dismiss(slot: 0))
        #expect(crew.begin() && crew.begin())
        #expect(!crew.begin())
    }

    @Test func thereIsAnEnd() {
        let crew = AgentCrew()
        for _ in 0..<AgentSlots.count { #expect(crew.add() != nil) }
        #expect(crew.add() == nil)
        for _ in 0..<AgentSlots.count - 1 { #expect(crew.begin()) }
        #expect(!crew.begin())
        // Several containers hold threads: from now on each may hold one.
        #expect(crew.limit == 1)
        crew.end()
        #expect(crew.begin())
    }
}
