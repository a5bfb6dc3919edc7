import Cgroups
import Testing

@testable import LxcfsFS

@Suite struct CachedFileTests {
    private func snapshot(_ text: String, at time: UInt64) -> Snapshot {
        Array(text.utf8).withUnsafeBufferPointer { Snapshot($0, time: time) }
    }

    @Test func partsOfASnapshot() {
        let whole = snapshot("0123456789", at: 0)
        #expect(whole.part(offset: 3, size: 4).string == "3456")
        #expect(whole.part(offset: 8, size: 100).string == "89")
        #expect(whole.part(offset: 10, size: 1).isEmpty)
        #expect(whole.part(offset: 1000, size: 1).isEmpty)
        #expect(whole.part(offset: -1, size: 2).string == "01")
    }

    private func push(_ text: String, at time: UInt64, _ container: Container) {
        let slots = StoreSlots(1)
        let made = snapshot(text, at: time)
        #expect(container.install(made, 9, slots) == .store)
        container.stored(9, success: true)
        #expect(container.announce(9, made, now: time).bytes == made.count)
    }

    @Test func nothingIsPushedOntoPagesOfAnEarlierWorker() throws {
        let container = try makeContainer("x", slot: 1)
        container.adopt(snapshot("0123", at: 1), 9)
        container.files[9]?.held = HeldContent(atFirst: .max)
        // READ and a repeated question for the size find it.
        #expect(container.freshContent(9, now: 2, window: 10)?.bytes.string == "0123")
        #expect(container.install(snapshot("012", at: 20), 9, StoreSlots(1)) == .done)
        #expect(container.announce(9, snapshot("012", at: 20), now: 20).bytes == 3)
        #expect(container.install(snapshot("345", at: 40), 9, StoreSlots(1)) == .done)
        #expect(container.expire(9, time: 40))
        container.dropped(9)
        #expect(container.install(snapshot("678", at: 60), 9, StoreSlots(1)) == .store)
    }

    /// The kernel may not have heard that it got shorter.
    @Test func nothingIsPushedOntoPagesThatMayBeLonger() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaaa", at: 1, container)
        let second = snapshot("bbb", at: 20)
        #expect(container.install(second, 9, StoreSlots(1)) == .done)
        #expect(container.announce(9, second, now: 20).bytes == 3)
        let generation = container.files[9]?.generation
        #expect(container.install(snapshot("ccc", at: 40), 9, StoreSlots(1)) == .done)
        // Nor may it go on with pages of the second.
        #expect(container.files[9]?.generation != generation)
        push("dddd", at: 60, container)
        #expect(container.expire(9, time: 60))
        // As long as the kernel has not dropped them, they may be there.
        #expect(container.install(snapshot("ee", at: 80), 9, StoreSlots(1)) == .done)
        _ = container.announce(9, snapshot("ee", at: 80), now: 80)
        container.dropped(9)
        push("fff", at: 100, container)
    }

    @Test func whatIsPushedWhilePagesAreDroppedMayStay() throws {
        let container = try makeContainer("x", slot: 1)
        push("a", at: 1, container)
        #expect(container.expire(9, time: 1))
        push("bbbb", at: 20, container)
        container.dropped(9)
        _ = container.install(snapshot("cc", at: 40), 9, StoreSlots(1))
        _ = container.announce(9, snapshot("cc", at: 40), now: 40)
        #expect(container.install(snapshot("dd", at: 60), 9, StoreSlots(1)) == .done)
        // Already under way when dropping begins.
        var held = HeldContent(atFirst: 0)
        held.add(7)
        held.beginDropping(isChanging: true)
        held.finishDropping()
        #expect(held.longest == 7)
        held.beginDropping(isChanging: false)
        #expect(held.longest == 7)
        held.finishDropping()
        #expect(held.longest == 0)
    }

    /// Of two answers that cross, the kernel may have taken either.
    @Test func readIsNotLongerThanTheKernelMayThink() throws {
        let container = try makeContainer("x", slot: 1)
        let second: UInt64 = 1_000_000_000
        for (text, time) in [("bbb", second), ("cccc", second + 1)] {
            let made = snapshot(text, at: time)
            _ = container.install(made, 9, StoreSlots(0))
            _ = container.announce(9, made, now: time)
        }
        let window: UInt64 = 10
        #expect(container.freshContent(9, now: second + 2, window: window)?.count == 3)
        let later = snapshot("dddd", at: second + 20)
        #expect(
            container.installForRead(later, 9, now: second + 20)?.bytes.string == "bbb")
        // By now it has one of them.
        _ = container.announce(9, later, now: 3 * second)
        #expect(
            container.installForRead(later, 9, now: 3 * second)?.bytes.string == "dddd")
    }

    @Test func theShortestOfTheLastMoments() {
        var told = ToldContent()
        let tenth: UInt64 = 100_000_000
        #expect(told.shortest(now: 0) == nil)
        told.add(snapshot("1", at: 0), now: 0)
        told.add(snapshot("333", at: 1), now: 5 * tenth)
        told.add(snapshot("22", at: 2), now: 6 * tenth)
        #expect(told.shortest(now: 7 * tenth)?.count == 1)
        told.add(snapshot("4444", at: 3), now: 15 * tenth)
        #expect(told.shortest(now: 15 * tenth)?.count == 2)
        #expect(told.shortest(now: 20 * tenth)?.count == 4)
        told.add(snapshot("333", at: 4), now: 21 * tenth)
        #expect(told.shortest(now: 22 * tenth)?.count == 3)
        #expect(told.shortest(now: 60 * tenth) == nil)
        told.add(snapshot("55555", at: 5), now: 61 * tenth)
        #expect(told.shortest(now: 62 * tenth)?.count == 5)
    }

    @Test func newContentIsPushedAndServesForTheWindow() throws {
        let container = try makeContainer("x", slot: 1)
        #expect(container.freshSize(9, now: 0, window: 10) == nil)
        let slots = StoreSlots(1)
        #expect(container.install(snapshot("aaa", at: 1), 9, slots) == .store)
        // Until it has been pushed, nobody may rely on the page cache.
        #expect(container.freshSize(9, now: 2, window: 10) == nil)
        // But READ is answered, for the push may wait for it.
        #expect(container.freshContent(9, now: 2, window: 10)?.bytes.string == "aaa")
        container.stored(9, success: true)
        #expect(container.freshSize(9, now: 2, window: 10)?.bytes == 3)
        #expect(container.freshSize(9, now: 11, window: 10) == nil)
        #expect(container.freshContent(9, now: 11, window: 10) == nil)
    }

    @Test func shorterContentIsReadNotPushed() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaaa", at: 1, container)
        #expect(container.install(snapshot("aaa", at: 2), 9, StoreSlots(1)) == .done)
        #expect(container.freshContent(9, now: 3, window: 10)?.bytes.string == "aaa")
    }

    @Test func aNameIsLookedUpBeforeThereIsContent() throws {
        let container = try makeContainer("x", slot: 1)
        #expect(container.sizeForLookup(9) == FileSize(bytes: 16384, generation: 0))
        // So that sendfile(2), which asks for no attributes, gets what READ makes.
        #expect(container.installForRead(snapshot("aaa", at: 1), 9, now: 1)?.count == 3)
        #expect(container.sizeForLookup(9).bytes == 3)
    }

    @Test func withoutASlotTheKernelIsMadeToRead() throws {
        let container = try makeContainer("x", slot: 1)
        let first = snapshot("aaa", at: 1)
        #expect(container.install(first, 9, StoreSlots(0)) == .done)
        #expect(container.announce(9, first, now: 1) == FileSize(bytes: 3, generation: 1))
        let slots = StoreSlots(2)
        #expect(container.install(snapshot("bbb", at: 2), 9, slots) == .store)
        // A second thread while the first one pushes.
        let third = snapshot("ccc", at: 3)
        #expect(container.install(third, 9, slots) == .done)
        #expect(container.announce(9, third, now: 3).generation == 2)
        #expect(container.freshContent(9, now: 4, window: 10)?.bytes.string == "ccc")
        container.stored(9, success: false)
        #expect(container.sizeForLookup(9).generation == 3)
    }

    @Test func aLaterRenderingThatFinishedEarlierWins() throws {
        let container = try makeContainer("x", slot: 1)
        let slots = StoreSlots(1)
        #expect(container.install(snapshot("newer", at: 5), 9, slots) == .store)
        let old = snapshot("old", at: 4)
        #expect(container.install(old, 9, slots) == .done)
        #expect(container.announce(9, old, now: 5).bytes == 5)
    }

    @Test func expiryEndsOneContentOnly() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaa", at: 1, container)
        #expect(!container.expire(9, time: 0))
        push("bbb", at: 20, container)
        #expect(!container.expire(9, time: 1))
        #expect(container.freshContent(9, now: 21, window: 10) != nil)
        #expect(container.expire(9, time: 20))
        #expect(container.freshContent(9, now: 21, window: 10) == nil)
        #expect(container.sizeForLookup(9).bytes == 3)
    }

    @Test func readWithoutAttributesOnlyShowsWhatFitsTheSize() throws {
        let container = try makeContainer("x", slot: 1)
        func read(_ text: String, at time: UInt64) -> String? {
            container.installForRead(snapshot(text, at: time), 9, now: time)?.bytes.string
        }
        #expect(read("aaa", at: 1) == nil)
        push("aaa", at: 1, container)
        #expect(read("bbb", at: 20) == "bbb")
        #expect(read("cc", at: 40) == "cc")
        #expect(container.sizeForLookup(9).bytes == 2)
        #expect(read("ddd", at: 60) == nil)
        // A file that takes several requests must have the size that was told.
        let long = String(repeating: "x", count: 20_000)
        push(long, at: 80, container)
        #expect(read("short", at: 100) == nil)
    }

    @Test func slotsRunOut() {
        let slots = StoreSlots(1)
        #expect(slots.take())
        #expect(!slots.take())
        #expect(!slots.take())
        slots.give()
        #expect(slots.take())
    }
}

@Suite struct VisibleCPUsTests {
    private func update(
        _ visible: inout VisibleCPUs, _ cpuset: String?, _ online: String, _ quota: Int?
    ) -> Bool {
        let onlineBytes = Array(online.utf8)
        guard let cpuset else {
            return onlineBytes.withUnsafeBufferPointer {
                visible.update(cpuset: nil, online: $0, quota: quota)
            }
        }
        return onlineBytes.withUnsafeBufferPointer { online in
            Array(cpuset.utf8).withUnsafeBufferPointer {
                visible.update(cpuset: $0, online: online, quota: quota)
            }
        }
    }

    @Test func cpusetAndQuota() {
        var visible = VisibleCPUs()
        #expect(update(&visible, nil, "0-7", nil))
        #expect(visible.list.cpus == Array(0...7))
        #expect(!update(&visible, nil, "0-7", nil))
        #expect(update(&visible, "2-5", "0-7", nil))
        #expect(visible.list.cpus == [2, 3, 4, 5])
        #expect(update(&visible, "2-5", "0-7", 2))
        #expect(visible.list.cpus == [2, 3])
        #expect(!update(&visible, "2-6", "0-7", 2))
        #expect(update(&visible, "2-5", "0-1,3-7", 2))
        #expect(visible.list.cpus == [3, 4])
    }

    @Test func neverNone() {
        var visible = VisibleCPUs()
        _ = update(&visible, "8-9", "0-1", nil)
        #expect(visible.list.cpus == [0, 1])
        _ = update(&visible, "0-1", "0-1", 0)
        #expect(visible.list.cpus == [0])
        _ = update(&visible, "garbage", "garbage", nil)
        #expect(visible.list.cpus == [0])
    }
}
