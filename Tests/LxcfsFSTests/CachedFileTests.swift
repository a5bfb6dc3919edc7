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
        guard case .store = container.install(made, 9, slots) else {
            Issue.record("\(text) is not pushed")
            return
        }
        container.stored(9, made, success: true)
        #expect(container.announce(9, made).bytes == made.count)
    }

    /// - Returns: whether pages are dropped first; nil if nothing is pushed.
    private func isDropping(_ step: CacheStep) -> Bool? {
        if case .store(let droppingFirst) = step { return droppingFirst }
        return nil
    }

    private func install(_ text: String, at time: UInt64, _ container: Container) -> Bool? {
        let made = snapshot(text, at: time)
        let result = isDropping(container.install(made, 9, StoreSlots(1)))
        if result == true { container.dropped(9) }
        if result != nil { container.stored(9, made, success: true) }
        _ = container.announce(9, made)
        return result
    }

    @Test func pagesOfAnEarlierWorkerAreDroppedBeforeSomethingIsPushed() throws {
        let container = try makeContainer("x", slot: 1)
        container.adopt(snapshot("0123", at: 1), 9)
        container.files[9]?.held = HeldContent(atFirst: .max)
        // READ and a repeated question for the size find it.
        #expect(container.freshContent(9, now: 2, window: 10)?.content.bytes.string == "0123")
        #expect(install("01234", at: 20, container) == true)
        #expect(install("12345", at: 40, container) == false)
    }

    @Test func newContentIsPushedAndServesForTheWindow() throws {
        let container = try makeContainer("x", slot: 1)
        #expect(container.freshSize(9, now: 0, window: 10) == nil)
        #expect(install("aaa", at: 1, container) == false)
        #expect(container.freshSize(9, now: 2, window: 10)?.bytes == 3)
        #expect(container.freshContent(9, now: 2, window: 10)?.content.bytes.string == "aaa")
        #expect(container.freshSize(9, now: 11, window: 10) == nil)
        #expect(container.freshContent(9, now: 11, window: 10) == nil)
    }

    @Test func untilItHasBeenPushedTheKernelMayThinkOfTheFormerSize() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaa", at: 1, container)
        let slots = StoreSlots(2)
        let longer = snapshot("bbbb", at: 20)
        #expect(isDropping(container.install(longer, 9, slots)) == false)
        // Others are told of it, and one content is pushed at a time.
        #expect(container.freshSize(9, now: 21, window: 10)?.bytes == 4)
        #expect(isDropping(container.install(snapshot("cc", at: 22), 9, slots)) == nil)
        #expect(container.announce(9, snapshot("cc", at: 22)).bytes == 4)
        // READ is answered, for the push may wait for it.
        let fresh = try #require(container.freshContent(9, now: 22, window: 10))
        #expect(fresh.announced == 3)
        #expect(fresh.content.bytes.string == "bbbb")
        // However long that takes.
        #expect(container.freshContent(9, now: 90, window: 10)?.content.bytes.string == "bbbb")
        container.stored(9, longer, success: true)
        #expect(container.freshContent(9, now: 23, window: 10)?.announced == nil)
        #expect(container.freshContent(9, now: 90, window: 10) == nil)
        // The slot of the second one has been given back.
        #expect(slots.take())
    }

    @Test func shorterContentIsReadNotPushed() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaaa", at: 1, container)
        #expect(install("aaa", at: 20, container) == nil)
        #expect(container.freshContent(9, now: 23, window: 10)?.content.bytes.string == "aaa")
    }

    /// The kernel may not have heard that it got shorter.
    @Test func nothingIsPushedOntoPagesThatMayBeLonger() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaaa", at: 1, container)
        #expect(install("bbb", at: 20, container) == nil)
        #expect(install("ccc", at: 40, container) == true)
        #expect(install("ddd", at: 60, container) == false)
        push("eeee", at: 80, container)
        #expect(container.expire(9, time: 80))
        container.dropped(9)
        #expect(install("fff", at: 100, container) == nil)
        #expect(install("ggg", at: 120, container) == false)
    }

    @Test func whatIsPushedWhilePagesAreDroppedMayStay() throws {
        var held = HeldContent(atFirst: 0)
        held.add(7)
        held.beginDropping(isChanging: true)
        held.finishDropping()
        #expect(held.longest == 7)
        held.beginDropping(isChanging: false)
        #expect(held.longest == 7)
        held.add(5)
        held.finishDropping()
        #expect(held.longest == 5)
    }

    @Test func aNameIsLookedUpBeforeThereIsContent() throws {
        let container = try makeContainer("x", slot: 1)
        #expect(container.sizeForLookup(9) == FileSize(bytes: 16384, generation: 0))
        // So that sendfile(2), which asks for no attributes, gets what READ makes.
        #expect(container.installForRead(snapshot("aaa", at: 1), 9))
        #expect(container.sizeForLookup(9).bytes == 3)
    }

    @Test func withoutASlotTheKernelIsMadeToRead() throws {
        let container = try makeContainer("x", slot: 1)
        let first = snapshot("aaa", at: 1)
        #expect(isDropping(container.install(first, 9, StoreSlots(0))) == nil)
        #expect(container.announce(9, first) == FileSize(bytes: 3, generation: 1))
        let second = snapshot("bbb", at: 2)
        #expect(isDropping(container.install(second, 9, StoreSlots(1))) == false)
        container.stored(9, second, success: false)
        #expect(container.sizeForLookup(9).generation == 2)
    }

    @Test func aLaterRenderingThatFinishedEarlierWins() throws {
        let container = try makeContainer("x", slot: 1)
        push("newer", at: 5, container)
        let old = snapshot("oldest", at: 4)
        #expect(isDropping(container.install(old, 9, StoreSlots(1))) == nil)
        #expect(container.announce(9, old).bytes == 5)
    }

    /// Most files of a container that does nothing stay as they are.
    @Test func whatThePageCacheHoldsAlreadyIsNotPushedAgain() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaa", at: 1, container)
        #expect(install("aaa", at: 20, container) == nil)
        // It is as fresh as if it had been pushed, and stays until it is as old.
        #expect(container.freshSize(9, now: 29, window: 10)?.bytes == 3)
        #expect(!container.expire(9, time: 1))
        #expect(install("bbb", at: 40, container) == false)
        #expect(install("bbb", at: 60, container) == nil)
        // Once it has been dropped, it is.
        #expect(container.expire(9, time: 60))
        container.dropped(9)
        #expect(install("bbb", at: 80, container) == false)
    }

    @Test func whatThePageCacheMayNotHoldIsPushedAgain() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaaa", at: 1, container)
        // Shorter, so it is read. The kernel may not have heard of that.
        #expect(install("bbb", at: 20, container) == nil)
        #expect(install("bbb", at: 40, container) == true)
        // Brought by READ.
        let read = snapshot("ccc", at: 60)
        #expect(container.installForRead(read, 9))
        #expect(install("ccc", at: 80, container) == false)
        // Pushing it failed.
        let failed = snapshot("ddd", at: 100)
        #expect(isDropping(container.install(failed, 9, StoreSlots(1))) == false)
        container.stored(9, failed, success: false)
        #expect(install("ddd", at: 120, container) == false)
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
        #expect(!container.installForRead(snapshot("aaa", at: 1), 9))
        push("aaa", at: 1, container)
        #expect(container.installForRead(snapshot("bbb", at: 20), 9))
        #expect(container.installForRead(snapshot("cc", at: 40), 9))
        #expect(container.sizeForLookup(9).bytes == 2)
        #expect(!container.installForRead(snapshot("ddd", at: 60), 9))
        // A file that takes several requests must have the size that was told.
        push(String(repeating: "x", count: 20_000), at: 80, container)
        #expect(!container.installForRead(snapshot("short", at: 100), 9))
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
