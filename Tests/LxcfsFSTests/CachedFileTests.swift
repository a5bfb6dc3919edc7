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

    @Test func newContentIsPushedUnchangedContentIsNot() throws {
        let container = try makeContainer("x", slot: 1)
        let slots = StoreSlots(1)
        #expect(container.freshContent(9, now: 0, window: 10) == nil)
        #expect(container.install(snapshot("aaa", at: 1), 9, slots) == .store)
        // Until it has been pushed, nobody may rely on the page cache.
        #expect(container.freshContent(9, now: 2, window: 10) == nil)
        slots.give()
        container.stored(9, success: true)
        #expect(container.freshContent(9, now: 2, window: 10)?.0 == 3)
        #expect(container.freshContent(9, now: 11, window: 10) == nil)
        #expect(container.install(snapshot("aaa", at: 20), 9, slots) == .done)
        #expect(container.freshContent(9, now: 21, window: 10)?.1 == 0)
        #expect(container.install(snapshot("bbb", at: 30), 9, slots) == .store)
    }

    @Test func shorterContentIsReadNotPushed() throws {
        let container = try makeContainer("x", slot: 1)
        let slots = StoreSlots(1)
        _ = container.install(snapshot("aaaa", at: 1), 9, slots)
        slots.give()
        container.stored(9, success: true)
        #expect(container.install(snapshot("aaa", at: 2), 9, slots) == .done)
        #expect(container.content(9)?.bytes.string == "aaa")
    }

    @Test func withoutASlotTheKernelIsMadeToRead() throws {
        let container = try makeContainer("x", slot: 1)
        let none = StoreSlots(0)
        #expect(container.install(snapshot("aaa", at: 1), 9, none) == .done)
        #expect(container.generation(9) == 1)
        let slots = StoreSlots(2)
        #expect(container.install(snapshot("bbb", at: 2), 9, slots) == .store)
        // A second thread while the first one pushes.
        #expect(container.install(snapshot("ccc", at: 3), 9, slots) == .done)
        #expect(container.generation(9) == 2)
        #expect(container.content(9)?.bytes.string == "ccc")
        slots.give()
        container.stored(9, success: false)
        #expect(container.generation(9) == 3)
    }

    @Test func aLaterRenderingThatFinishedEarlierWins() throws {
        let container = try makeContainer("x", slot: 1)
        let slots = StoreSlots(1)
        #expect(container.install(snapshot("new", at: 5), 9, slots) == .store)
        #expect(container.install(snapshot("old", at: 4), 9, slots) == .done)
        #expect(container.content(9)?.bytes.string == "new")
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
