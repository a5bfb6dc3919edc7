import CLinux
import Glibc
import Logging
import Synchronization
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover

/// Requests that wait for a thread: how many are answered at one time, whose, and which not at all.
@Suite struct DispatcherTests {
    private final class Fixture: Sendable {
        let places: AsideRequests
        let dispatcher: Dispatcher
        private let received: PendingRequest
        private let number = Atomic<UInt64>(0)
        /// The numbers of requests that have been answered.
        let answered = Guarded<[UInt64]>([])

        init() throws {
            places = try AsideRequests(try AsideRequests.make())
            dispatcher = Dispatcher(places, log: Logger(label: "test"))
            let memory = try HandoverMemory(
                try HandoverMemory.make(DaemonOptions(mountPoint: "/x")))
            received = memory.request(.containers, 0)
        }

        /// Where a thread has received a request.
        func receive(size: UInt32 = 56) -> PendingRequest {
            let number = number.add(2, ordering: .relaxed).newValue
            clinux_store32(received.memory + 4, PendingRequest.getattr)
            clinux_store64(received.memory + 8, number)
            clinux_store32(received.memory, size)
            return received
        }

        func put(_ gate: RequestGate) -> Bool {
            dispatcher.putAside(receive(), .containers, gate)
        }

        func start(_ answer: @escaping @Sendable (RequestGate) -> Void) throws {
            try dispatcher.start { [answered, places] item, gate in
                answer(gate)
                answered.withLock { $0.append(places[item.place].unique) }
                return true
            }
        }

        /// Waits until so many have been answered.
        func isAnswered(_ count: Int) -> Bool {
            for _ in 0..<5000 {
                if answered.withLock({ $0.count }) >= count { return true }
                usleep(1000)
            }
            return false
        }
    }

    @Test func twoThreadsWorkForOneContainer() throws {
        let fixture = try Fixture()
        let gate = RequestGate()
        let working = Guarded((now: 0, most: 0))
        try fixture.start { _ in
            working.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            usleep(1000)
            working.withLock { $0.now -= 1 }
        }
        for _ in 0..<60 { #expect(fixture.put(gate)) }
        #expect(fixture.isAnswered(60))
        #expect(working.withLock { $0.most } == RequestGate.mostThreads)
        // Each once, and in the end nothing is left in the memory.
        #expect(fixture.answered.withLock { Set($0).count } == 60)
        fixture.dispatcher.finish(deadline: Clock.monotonic() + 5_000_000_000)
        #expect((0..<AsideRequests.count).allSatisfy { fixture.places.state($0) == .free })
        #expect(gate.enter() && gate.enter() && !gate.enter())
    }

    @Test func oneThatAnswersCountsToo() throws {
        let fixture = try Fixture()
        let gate = RequestGate()
        try fixture.start { _ in }
        #expect(gate.enter() && gate.enter())
        #expect(fixture.put(gate))
        usleep(20_000)
        #expect(fixture.answered.withLock { $0.isEmpty })
        // Who comes later does not go first.
        #expect(!gate.enter())
        fixture.dispatcher.left(gate)
        #expect(fixture.isAnswered(1))
    }

    @Test func whoIsHeldUpHoldsUpNobody() throws {
        let fixture = try Fixture()
        let stuck = (0..<10).map { _ in RequestGate() }
        let keys = Set(stuck.map(ObjectIdentifier.init))
        let dispatcher = fixture.dispatcher
        let over = Permits(0)
        try fixture.start { gate in
            guard keys.contains(ObjectIdentifier(gate)) else { return }
            dispatcher.helperWaits()
            while !over.take(within: 1_000_000_000) {}
            over.give()
            dispatcher.helperGoesOn()
        }
        for gate in stuck { for _ in 0..<5 { #expect(fixture.put(gate)) } }
        let other = RequestGate()
        for _ in 0..<20 {
            let before = fixture.answered.withLock { $0.count }
            #expect(fixture.put(other))
            #expect(fixture.isAnswered(before + 1))
        }
        over.give()
        #expect(fixture.isAnswered(70))
    }

    @Test func whoHasManyWaitingGetsOneInTurn() throws {
        let fixture = try Fixture()
        let many = (0..<8).map { _ in RequestGate() }
        try fixture.start { _ in usleep(2000) }
        for gate in many { for _ in 0..<100 { #expect(fixture.put(gate)) } }
        let one = RequestGate()
        let start = Clock.monotonic()
        let number = fixture.receive().unique
        #expect(fixture.dispatcher.putAside(fixture.receive(), .containers, one))
        while !fixture.answered.withLock({ $0.contains(number + 2) }) { usleep(500) }
        // All before it would take 800 x 2 ms on a few threads.
        #expect(Clock.monotonic() - start < 200_000_000)
        #expect(fixture.answered.withLock { $0.count } < 400)
    }

    @Test func tooManyAreRefusedAndOthersAreNot() throws {
        let fixture = try Fixture()
        let isOver = Permits(0)
        try fixture.start { _ in
            while !isOver.take(within: 1_000_000_000) {}
            isOver.give()
        }
        let greedy = RequestGate()
        var taken = 0
        while fixture.put(greedy) { taken += 1 }
        // A part of what is free at that moment, and two that are being answered.
        #expect((200...RequestGate.mostWaiting + 2).contains(taken))
        // However many do that, there is a place for one more.
        let others = (0..<100).map { _ in RequestGate() }
        for gate in others { while fixture.put(gate) {} }
        #expect(fixture.put(RequestGate()))
        // It cannot be kept whole.
        #expect(
            !fixture.dispatcher.putAside(
                fixture.receive(size: 1000), .containers, RequestGate()))
        isOver.give()
    }

    // MARK: - Putting off

    @Test func whatIsPutOffHoldsNoThread() throws {
        let fixture = try Fixture()
        let gate = RequestGate()
        let tries = Guarded<[Bool]>([])
        try fixture.dispatcher.start { [answered = fixture.answered] item, gate in
            Workspace.current.changes = gate.changes
            tries.withLock { $0.append(item.isSecondTry) }
            if item.isSecondTry { answered.withLock { $0.append(0) } }
            return item.isSecondTry
        }
        for _ in 0..<10 { #expect(fixture.put(gate)) }
        while gate.putOffCount < 10 { usleep(500) }
        usleep(10_000)
        #expect(tries.withLock { $0 } == Array(repeating: false, count: 10))
        #expect(gate.enter() && gate.enter())
        fixture.dispatcher.left(gate)
        fixture.dispatcher.left(gate)
        fixture.dispatcher.goOn(gate)
        #expect(fixture.isAnswered(10))
        #expect(gate.putOffCount == 0)
    }

    /// What a request waits for may happen while the thread finds out that it has to wait.
    @Test func whatHasHappenedMeanwhileIsNotMissed() throws {
        let fixture = try Fixture()
        let gate = RequestGate()
        let dispatcher = fixture.dispatcher
        try dispatcher.start { [answered = fixture.answered] item, gate in
            Workspace.current.changes = gate.changes
            if !item.isSecondTry { dispatcher.goOn(gate) }
            if item.isSecondTry { answered.withLock { $0.append(0) } }
            return item.isSecondTry
        }
        for _ in 0..<5 { #expect(fixture.put(gate)) }
        #expect(fixture.isAnswered(5))
    }

    // MARK: - From one worker to the next

    @Test func theNextWorkerFindsWhatWaits() throws {
        let memory = try AsideRequests.make()
        let places = try AsideRequests(memory)
        let fixture = try Fixture()
        let request = fixture.receive()
        places.put(request, .callers, at: 7)
        places.put(fixture.receive(), .containers, at: 9)
        places.set(.answering, 9)
        clinux_store32(places[9].heldUp, 1)
        let next = try AsideRequests(memory)
        #expect((0..<AsideRequests.count).filter { next.state($0) != .free } == [7, 9])
        #expect(next.state(7) == .waiting && next.connection(7) == .callers)
        #expect(next[7].unique == 2 && next[7].size == 56 && !next[7].isHeldUp)
        #expect(next.state(9) == .answering && next[9].isHeldUp)
    }

    @Test func nonsenseInThePlacesIsNoRequest() throws {
        let memory = try AsideRequests.make()
        let places = try AsideRequests(memory)
        let fixture = try Fixture()
        places.put(fixture.receive(), .containers, at: 3)
        // A length that no request here has.
        clinux_store32(places[3].memory, 600)
        #expect(places.state(3) == .free)
        clinux_store32(places[3].memory, 20)
        #expect(places.state(3) == .free)
    }
}
