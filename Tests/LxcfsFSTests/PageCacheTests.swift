import Glibc
import KernelText
import Synchronization
import Syscalls
import Testing

@testable import LxcfsHandover
@testable import LxcfsPageCache

/// A kernel's page cache in which a test sees what it was told, in which order.
private final class FakeKernel: KernelPages {
    enum Event: Equatable {
        /// Something was pushed.
        case stored(String)
        case dropped
        /// A request was answered with this size.
        case told(Int)
        /// A READ was answered.
        case read(String)
        case refused
    }

    private struct State {
        var events: [Event] = []
        /// The content of the page; nil if there is none.
        var page: String?
        var fails = false
        var onStore: (@Sendable () -> Void)?
        var onDrop: (@Sendable () -> Void)?
    }
    private let state = Guarded(State())

    func store(_ content: Snapshot, in node: NodeID) -> Bool {
        let text = content.bytes.string
        state.withLock { $0.onStore }?()
        return state.withLock { state in
            state.events.append(.stored(text))
            if state.fails { return false }
            state.page = text
            return true
        }
    }

    func waitsForPage(_ thread: pid_t) -> Bool { true }

    func drop(_ node: NodeID) -> Bool {
        state.withLock { $0.onDrop }?()
        return state.withLock { state in
            state.events.append(.dropped)
            if state.fails { return false }
            state.page = nil
            return true
        }
    }

    func note(_ event: Event) { state.withLock { $0.events.append(event) } }

    /// What has happened since the last time.
    func takeEvents() -> [Event] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    var page: String? {
        get { state.withLock { $0.page } }
        set { state.withLock { $0.page = newValue } }
    }

    var fails: Bool {
        get { state.withLock { $0.fails } }
        set { state.withLock { $0.fails = newValue } }
    }

    func onStore(_ body: (@Sendable () -> Void)?) { state.withLock { $0.onStore = body } }
    func onDrop(_ body: (@Sendable () -> Void)?) { state.withLock { $0.onDrop = body } }
}

/// What kernel, readers and the next worker are told, in which order.
@Suite struct PageCacheTests {
    private static let millisecond: UInt64 = 1_000_000
    private static let window = 10 * millisecond

    /// A worker with one container, and a clock that a test sets.
    private final class Fixture: Sendable {
        let kernel = FakeKernel()
        let memory: HandoverMemory
        let files = CachedFiles()
        let cache: PageCache
        private let clock = Box()
        let node = NodeID(slot: 7, file: FixedNode.swaps.rawValue)

        private final class Box: Sendable { let time = Atomic<UInt64>(1_000_000_000) }

        init(memory: HandoverMemory? = nil, worker: UInt64 = 1, threads: Int = 4) throws {
            self.memory =
                try memory
                ?? HandoverMemory(try HandoverMemory.make(DaemonOptions(mountPoint: "/x")))
            cache = try PageCache(
                kernel, window: window, threads: threads, worker: worker, memory: self.memory,
                now: { [clock] in clock.time.load(ordering: .relaxed) })
        }

        var now: UInt64 { clock.time.load(ordering: .relaxed) }

        func pass(_ milliseconds: UInt64) {
            clock.time.add(milliseconds * millisecond, ordering: .relaxed)
        }

        func snapshot(_ text: String) -> Snapshot {
            Array(text.utf8).withUnsafeBufferPointer { Snapshot($0, time: now) }
        }

        /// GETATTR when the content is `text`.
        @discardableResult
        func ask(_ text: String) throws -> Bool? {
            var lasting: Bool?
            try cache.size(of: node, in: files) {
                snapshot(text)
            } tell: { size, lasts in
                kernel.note(.told(size.bytes))
                lasting = lasts
            }
            return lasting
        }

        /// READ when the content is `text`.
        func read(_ text: String, offset: Int = 0, size: Int = 4096) throws {
            try cache.content(of: node, in: files, offset: offset, size: size) {
                snapshot(text)
            } answer: {
                kernel.note($0.map { .read($0.string) } ?? .refused)
            }
        }

        /// Drops what is due.
        func expire() { while cache.expirer.expireNext(now: now) {} }

        var generation: Int { cache.sizeForLookup(of: node, in: files).generation }
    }

    @Test func contentIsPushedBeforeItsSizeIsTold() throws {
        let fixture = try Fixture()
        // The kernel knows nothing of the file: READ will bring it.
        #expect(try fixture.ask("aaa\n") == true)
        #expect(fixture.kernel.takeEvents() == [.told(4)])
        try fixture.read("not asked for")
        #expect(fixture.kernel.takeEvents() == [.read("aaa\n")])
        fixture.pass(10)
        #expect(try fixture.ask("bbb\n") == true)
        #expect(fixture.kernel.takeEvents() == [.stored("bbb\n"), .told(4)])
    }

    @Test func withinTheWindowNothingIsMade() throws {
        let fixture = try Fixture()
        try fixture.ask("aaa\n")
        fixture.pass(9)
        try fixture.cache.size(of: fixture.node, in: fixture.files) {
            () throws(SystemError) in
            throw SystemError("make", "content", errno: EIO)
        } tell: { size, lasts in
            #expect(size.bytes == 4 && lasts)
        }
    }

    @Test func whatCannotBeMadeIsNotAnswered() throws {
        let fixture = try Fixture()
        #expect(throws: SystemError.self) {
            try fixture.cache.size(of: fixture.node, in: fixture.files) {
                () throws(SystemError) in
                throw SystemError("make", "content", errno: ENODEV)
            } tell: { _, _ in
                Issue.record("answered")
            }
        }
        #expect(throws: SystemError.self) {
            try fixture.cache.content(of: fixture.node, in: fixture.files, offset: 0, size: 9) {
                () throws(SystemError) in
                throw SystemError("make", "content", errno: ENODEV)
            } answer: { _ in
                Issue.record("answered")
            }
        }
        #expect(fixture.kernel.takeEvents().isEmpty)
    }

    /// The kernel would cut the content for a reader who has just read the former one.
    @Test func aReaderOfTheFormerContentIsToldItsSizeBeforeItGetsLonger() throws {
        let fixture = try Fixture()
        try fixture.ask("aaa\n")
        fixture.pass(10)
        try fixture.ask("bbb\n")
        _ = fixture.kernel.takeEvents()
        fixture.pass(10)
        // Content that is being dropped is still read; what is settling waits.
        fixture.kernel.onDrop {
            fixture.kernel.onDrop(nil)
            do {
                try fixture.read("longer\n")
            } catch {
                Issue.record(error)
            }
        }
        #expect(try fixture.ask("longer\n") == false)
        #expect(
            fixture.kernel.takeEvents() == [
                .told(4), .read("bbb\n"), .dropped, .dropped, .stored("longer\n"),
            ])
        #expect(try fixture.ask("longer\n") == true)
        #expect(fixture.kernel.takeEvents() == [.told(7)])
    }

    @Test func whatNobodyHasSeenGetsLongerAtOnce() throws {
        let fixture = try Fixture()
        try fixture.ask("aaa\n")
        fixture.pass(100)
        #expect(try fixture.ask("longer\n") == true)
        #expect(
            fixture.kernel.takeEvents() == [.told(4), .dropped, .stored("longer\n"), .told(7)])
    }

    @Test func contentThatDoesNotFitGetsLongerAfterTheRead() throws {
        let fixture = try Fixture()
        try fixture.ask("aaa\n")
        fixture.pass(20)
        _ = fixture.kernel.takeEvents()
        // sendfile(2), which does not ask for the size.
        try fixture.read("longer\n")
        #expect(fixture.kernel.takeEvents() == [.read("aaa\n"), .dropped, .stored("longer\n")])
        // And shorter.
        fixture.pass(20)
        try fixture.read("a\n")
        #expect(fixture.kernel.takeEvents() == [.read("longer\n"), .dropped])
        try fixture.read("b\n")
        #expect(fixture.kernel.takeEvents() == [.read("a\n")])
    }

    @Test func whatGetsShorterLosesItsPages() throws {
        let fixture = try Fixture()
        let long = String(repeating: "x", count: 400) + "\n"
        try fixture.ask(long)
        fixture.pass(10)
        try fixture.ask(long.replacing("xxx", with: "yyy"))
        fixture.pass(10)
        _ = fixture.kernel.takeEvents()
        try fixture.ask("short\n")
        #expect(fixture.kernel.takeEvents() == [.dropped, .told(6)])
        try fixture.read("")
        #expect(fixture.kernel.takeEvents() == [.read("short\n")])
        fixture.pass(10)
        try fixture.ask("shirt\n")
        #expect(fixture.kernel.takeEvents() == [.stored("shirt\n"), .told(6)])
    }

    @Test func aKernelThatTakesNothingIsMadeToRead() throws {
        let fixture = try Fixture()
        try fixture.ask("aaa\n")
        fixture.pass(10)
        let before = fixture.generation
        fixture.pass(10)
        fixture.kernel.fails = true
        try fixture.ask("bbb\n")
        #expect(fixture.generation != before)
    }

    /// Until a READ has shown where shorter content ends, the kernel may have the former size.
    @Test func nothingIsPushedBeforeTheKernelKnowsTheEnd() throws {
        let fixture = try Fixture()
        try fixture.ask("aaaa\n")
        fixture.pass(100)
        try fixture.ask("bb\n")
        fixture.pass(30)
        _ = fixture.kernel.takeEvents()
        try fixture.ask("cc\n")
        #expect(fixture.kernel.takeEvents() == [.told(3)])
        // Not even what is longer, as long as it may be told of the former size.
        fixture.pass(30)
        try fixture.read("dd\n")
        fixture.pass(30)
        try fixture.ask("ee\n")
        #expect(
            fixture.kernel.takeEvents() == [.read("dd\n"), .stored("ee\n"), .told(3)])
    }

    /// Of several threads only so many may wait for a page.
    @Test func withoutAPermitNothingIsPushed() throws {
        let fixture = try Fixture(threads: 2)
        try fixture.ask("aaa\n")
        fixture.pass(10)
        try fixture.ask("bbb\n")
        #expect(fixture.kernel.takeEvents() == [.told(4), .told(4)])
        try fixture.read("")
        #expect(fixture.kernel.takeEvents() == [.read("bbb\n")])
    }

    @Test func permitsComeBack() throws {
        let fixture = try Fixture(threads: 3)
        var texts = (0..<20).map { String(repeating: "a", count: 1 + $0) + "\n" }
        texts += ["short\n", "a\n", "a\n", "bcd\n"]
        for text in texts {
            fixture.pass(100)
            try fixture.ask(text)
        }
        fixture.pass(10)
        _ = fixture.kernel.takeEvents()
        try fixture.ask("zzz\n")
        #expect(fixture.kernel.takeEvents() == [.stored("zzz\n"), .told(4)])
    }

    @Test func oldContentLeavesThePageCache() throws {
        let fixture = try Fixture()
        try fixture.ask("aaa\n")
        fixture.pass(10)
        try fixture.ask("bbb\n")
        #expect(fixture.kernel.page == "bbb\n")
        _ = fixture.kernel.takeEvents()
        fixture.pass(19)
        fixture.expire()
        #expect(fixture.kernel.page == "bbb\n")
        fixture.pass(1)
        fixture.expire()
        #expect(fixture.kernel.page == nil)
        #expect(fixture.kernel.takeEvents() == [.dropped])
    }

    /// A worker that is killed while it pushes leaves a mark, and the content.
    @Test func theNextWorkerKnowsWhatWasBeingPushed() throws {
        let fixture = try Fixture()
        let told = ToldContents(fixture.memory)
        try fixture.ask("aaa\n")
        // What has been told of leaves none.
        #expect(told.takeMarks().isEmpty)
        let left = Guarded<[(marked: Bool, last: String)]>([])
        fixture.kernel.onStore {
            let last = told.lastTold(unfinished: []).first.map { entry in
                withExtendedLifetime(entry) { entry.snapshot.bytes.string }
            }
            let isMarked = told.takeMarks() == [fixture.node]
            left.withLock { $0.append((isMarked, last ?? "")) }
        }
        fixture.pass(10)
        try fixture.ask("bbb\n")
        // One that gets longer, too.
        fixture.pass(100)
        try fixture.ask("longer\n")
        let found = left.withLock { $0 }
        #expect(found.map(\.marked) == [true, true])
        #expect(found.map(\.last) == ["bbb\n", "longer\n"])
        fixture.kernel.onStore(nil)
        fixture.pass(10)
        try fixture.ask("newer.\n")
        #expect(told.takeMarks().isEmpty)
    }

    /// A permit too many would leave no thread that answers READ.
    @Test func onePermitIsOne() throws {
        let fixture = try Fixture(threads: 3)
        let other = NodeID(slot: 8, file: FixedNode.swaps.rawValue)
        let others = CachedFiles()
        @Sendable func askOther(_ text: String) throws {
            try fixture.cache.size(of: other, in: others) {
                fixture.snapshot(text)
            } tell: { _, _ in
            }
        }
        // After a few of all kinds of change.
        for text in ["aaa\n", "bbb\n", "longer\n", "longer\n", "x\n", "\n", "yyy\n"] {
            fixture.pass(100)
            try fixture.ask(text)
            try askOther(text)
        }
        fixture.pass(10)
        _ = fixture.kernel.takeEvents()
        fixture.kernel.onStore {
            fixture.kernel.onStore(nil)
            do {
                try askOther("zzz\n")
            } catch {
                Issue.record(error)
            }
        }
        try fixture.ask("zzz\n")
        let stores = fixture.kernel.takeEvents().filter { $0 == .stored("zzz\n") }
        #expect(stores.count == 1)
    }

    @Test func theNextWorkerShowsWhatTheKernelWasTold() throws {
        let first = try Fixture()
        try first.ask("aaa\n")
        first.pass(10)
        try first.ask("bbbb\n")
        let next = try Fixture(memory: first.memory, worker: 2)
        next.pass(20)
        next.cache.takeOver(from: 0) { $0 == 7 ? next.files : nil }
        // A reader who has waited sees the end of what it has read.
        #expect(try next.ask("longer than that\n") == false)
        try next.read("longer than that\n")
        #expect(next.kernel.takeEvents() == [.told(5), .read("bbbb\n")])
        next.pass(100)
        try next.ask("new\n")
        #expect(next.kernel.takeEvents() == [.dropped, .told(4)])
    }

    @Test func aContainerThatIsGoneIsNotTakenOver() throws {
        let first = try Fixture()
        try first.ask("aaa\n")
        let next = try Fixture(memory: first.memory, worker: 2)
        next.cache.takeOver(from: 0) { _ in nil }
        next.pass(1000)
        next.expire()
        #expect(next.kernel.takeEvents().isEmpty)
    }

    @Test func aWorkerThatEndsLeavesAChangeOfSizeToTheNext() throws {
        let fixture = try Fixture()
        try fixture.ask("aaa\n")
        fixture.pass(10)
        try fixture.ask("bbb\n")
        fixture.pass(10)
        _ = fixture.kernel.takeEvents()
        fixture.cache.end()
        #expect(try fixture.ask("longer\n") == false)
        #expect(fixture.kernel.takeEvents() == [.told(4), .dropped])
        fixture.pass(10)
        #expect(try fixture.ask("a\n") == false)
        #expect(fixture.kernel.takeEvents() == [.dropped, .told(4)])
    }

    @Test func aNameTellsWhatTheKernelWasTold() throws {
        let fixture = try Fixture()
        func lookup() -> Int {
            fixture.cache.sizeForLookup(of: fixture.node, in: fixture.files).bytes
        }
        #expect(lookup() == 16384)
        fixture.pass(3)
        try fixture.read("aaa\n")
        #expect(fixture.kernel.takeEvents() == [.read("aaa\n")])
        #expect(lookup() == 4)
    }

    /// A reader who was kept from reading for so long gets an error, and falls back to read(2).
    @Test func aReadOfLongAgoIsRefused() throws {
        let fixture = try Fixture()
        try fixture.ask(String(repeating: "x", count: 5000))
        fixture.pass(100)
        fixture.expire()
        _ = fixture.kernel.takeEvents()
        fixture.pass(1500)
        try fixture.read("now\n", offset: 4096)
        // After that it loses its pages, for the next one.
        #expect(fixture.kernel.takeEvents() == [.refused, .dropped])
    }
}
