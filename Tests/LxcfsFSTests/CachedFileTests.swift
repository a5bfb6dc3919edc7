import Cgroups
import KernelText
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper

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

    /// The thousandth and first worker has once taken itself for the first: nothing in the page
    /// cache.
    @Test func onlyTheFirstWorkerBeginsWithAnEmptyPageCache() {
        #expect(CachedFile.firstGeneration(ofWorker: 1) == 0)
        var former = 0
        for number in (2...2100) as ClosedRange<UInt64> {
            let first = CachedFile.firstGeneration(ofWorker: number)
            #expect(first > 0 && first < 1_000_000_000, "worker \(number)")
            #expect(abs(first - former) >= 1_000_000, "worker \(number)")
            former = first
        }
        #expect(CachedFile.firstGeneration(ofWorker: .max) > 0)
    }

    private func push(
        _ text: String, at time: UInt64, _ container: Container, key: UInt64 = 9
    ) {
        if container.files[key]?.announced == nil {
            _ = install(text, at: time, container, key: key)
        }
        let action = install(text, at: time, container, key: key).action
        #expect(action == .store || action == .grow, "\(text) is not pushed")
        #expect(container.files[key]?.announced == text.utf8.count)
    }

    /// Does all of what is to be done with content.
    private func install(
        _ text: String, at time: UInt64, _ container: Container, key: UInt64 = 9
    ) -> CacheStep {
        let step = container.install(snapshot(text, at: time), key, PushPermits(1))
        guard let content = step.content else { return step }
        if step.dropsFirst { container.dropped(key) }
        if step.action == .grow {
            _ = container.settles(key, now: time, window: 10)
            container.beginGrowing(key, content, now: time)
        }
        switch step.action {
        case .none: break
        case .store, .grow: container.stored(key, content, success: true)
        case .resize: container.resized(key, content, success: true)
        }
        return step
    }

    private func read(
        _ container: Container, now: UInt64, made: Snapshot? = nil, offset: Int = 0,
        size: Int = 4096
    ) -> String {
        switch container.contentForRead(
            9, made, now: now, window: 10, offset: offset, size: size)
        {
        case .content(let content): content.text
        case .former(let count): "former \(count ?? -1)"
        case .nothing: "nothing"
        case .wait: "wait"
        }
    }

    @Test func pagesOfAnEarlierWorkerAreDroppedBeforeSomethingIsPushed() throws {
        let container = try makeContainer("x", slot: 1)
        container.adopt(snapshot("0123", at: 1), 9)
        container.files[9]?.held = HeldContent(atFirst: .max)
        // READ and a repeated question for the size find it.
        #expect(read(container, now: 2) == "0123")
        let first = install("01234", at: 20, container)
        #expect(first.action == .grow && first.dropsFirst)
        let second = install("12345", at: 40, container)
        #expect(second.action == .store && !second.dropsFirst)
    }

    @Test func newContentServesForTheWindow() throws {
        let container = try makeContainer("x", slot: 1)
        #expect(container.freshSize(9, now: 0, window: 10) == nil)
        #expect(install("aaa", at: 1, container).action == .resize)
        #expect(container.freshSize(9, now: 2, window: 10)?.bytes == 3)
        #expect(read(container, now: 2) == "aaa")
        #expect(container.freshSize(9, now: 11, window: 10) == nil)
        #expect(read(container, now: 11) == "nothing")
    }

    @Test func ofLongerContentTheKernelIsToldWhenItHasNoPages() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaa", at: 1, container)
        let slots = PushPermits(2)
        let longer = snapshot("bbbb", at: 20)
        let step = container.install(longer, 9, slots)
        #expect(step.action == .grow && step.dropsFirst)
        // Dropping pages waits for READ: that gets what there was, however long it takes.
        #expect(read(container, now: 90) == "aaa")
        // One thread changes the page cache at a time.
        #expect(container.install(snapshot("cc", at: 22), 9, slots).action == .none)
        #expect(container.announce(9, longer).bytes == 3)
        container.dropped(9)
        // Somebody has just got it, and may see the new size in a moment.
        #expect(container.settles(9, now: 91, window: 10))
        #expect(read(container, now: 92) == "wait")
        container.beginGrowing(9, longer, now: 1_000_000)
        // The kernel takes note of the size, and then pushing waits for READ.
        #expect(container.announce(9, longer).bytes == 4)
        #expect(read(container, now: 1_100_000) == "wait")
        #expect(read(container, now: 1_200_000) == "bbbb")
        container.stored(9, longer, success: true)
        #expect(container.freshSize(9, now: 23, window: 10)?.bytes == 4)
        // The slot of the second one has been given back.
        #expect(slots.take())
    }

    @Test func nobodyWaitsForReadersThatThereAreNot() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaa", at: 1, container)
        #expect(container.install(snapshot("bbbb", at: 20), 9, PushPermits(1)).action == .grow)
        // The page cache may have served it for two windows.
        #expect(container.settles(9, now: 20_000_020, window: 10))
        #expect(!container.settles(9, now: 20_000_021, window: 10))
        #expect(container.settles(9, now: 20_000_021, window: 20))
        #expect(container.expire(9, time: 1))
        #expect(!container.settles(9, now: 20_000_021, window: 20))
    }

    /// Or answers that come late would tell of a size from before.
    @Test func filesBelowProcDoNotGetALittleShorter() throws {
        let container = try makeContainer("x", slot: 1)
        let key = NodeID(slot: 1, file: FixedNode.swaps.rawValue).keyInContainer
        _ = install("10.00 1/12 7\n", at: 1, container, key: key)
        let padded = install("9.99 1/9 7\n", at: 20, container, key: key)
        #expect(padded.content?.text == "9.99 1/9 7  \n")
        #expect(padded.action == .store)
        let much = String(repeating: "x", count: 126)
        #expect(install(much + "y\n", at: 40, container, key: key).action == .grow)
        // That has grown once, and has room to do so again.
        #expect(install(much + "yzzz\n", at: 60, container, key: key).action == .store)
        // Not when it is much shorter.
        #expect(install("9\n", at: 80, container, key: key).content?.text == "9\n")
        // Others do.
        _ = install("0-10\n", at: 1, container)
        #expect(install("0-9\n", at: 20, container).content?.text == "0-9\n")
    }

    /// Or whoever has read the former content to its end would get the end of a longer one.
    @Test func filesThatCountUpHaveRoomForIt() throws {
        let container = try makeContainer("x", slot: 1)
        let key = NodeID(slot: 1, file: FixedNode.stat.rawValue).keyInContainer
        let young = String(repeating: "x", count: 127)
        let padded = install(young + "\n", at: 1, container, key: key)
        #expect(padded.content?.text == young + String(repeating: " ", count: 16) + "\n")
        #expect(install(young + "9999\n", at: 20, container, key: key).action == .store)
        let long = NodeID(slot: 2, file: FixedNode.diskstats.rawValue).keyInContainer
        let text = String(repeating: "x", count: 4000) + "\n"
        #expect(install(text, at: 1, container, key: long).content?.count == 4049)
        // Of a line or two programs look at the end.
        let short = NodeID(slot: 1, file: FixedNode.uptime.rawValue).keyInContainer
        #expect(install("9.04 9.04\n", at: 1, container, key: short).content?.count == 10)
        #expect(install("10.04 9.05\n", at: 20, container, key: short).content?.count == 11)
        // As long as there are none.
        let none = NodeID(slot: 1, file: FixedNode.slabinfo.rawValue).keyInContainer
        #expect(install("", at: 1, container, key: none).content?.text == "")
    }

    @Test func padding() {
        #expect(snapshot("a: b\n\n", at: 5).padded(to: 8).text == "a: b  \n\n")
        #expect(snapshot("a: b\n\n", at: 5).padded(to: 8).time == 5)
        for text in ["", "\n", "a"] {
            #expect(snapshot(text, at: 5).padded(to: 8).text == text)
        }
        #expect(snapshot("abc\n", at: 5).padded(to: 2).text == "abc\n")
    }

    @Test func keysOfFilesBelowProc() {
        for file in FixedNode.allCases {
            let key = NodeID(slot: 3, file: file.rawValue).keyInContainer
            #expect(NodeID.isProcFile(key) == FixedNode.procFiles.contains(file))
            #expect(NodeID.isCounting(key) == FixedNode.countingFiles.contains(file))
            let other = NodeID(slot: 3, cpu: 1, file: file.rawValue).keyInContainer
            #expect(!NodeID.isProcFile(other))
        }
    }

    @Test func shorterContentIsReadNotPushed() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaaa", at: 1, container)
        let step = install("aaa", at: 20, container)
        #expect(step.action == .resize && step.dropsFirst)
        #expect(read(container, now: 23) == "aaa")
    }

    @Test func pagesThatReadHasBroughtAreDroppedBeforeTheSizeChanges() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaaa", at: 1, container)
        #expect(container.expire(9, time: 1))
        container.dropped(9)
        #expect(!install("bbb", at: 20, container).dropsFirst)
        #expect(read(container, now: 21) == "bbb")
        #expect(install("cccc", at: 40, container).dropsFirst)
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
        #expect(read(container, now: 1, made: snapshot("aaa", at: 1)) == "aaa")
        #expect(container.sizeForLookup(9).bytes == 3)
    }

    @Test func contentThatIsJustBeingToldOfIsRead() throws {
        let container = try makeContainer("x", slot: 1)
        _ = container.sizeForLookup(9)
        #expect(container.install(snapshot("aaa", at: 1), 9, PushPermits(1)).action == .resize)
        #expect(read(container, now: 2) == "aaa")
    }

    @Test func withoutASlotTheKernelIsMadeToRead() throws {
        let container = try makeContainer("x", slot: 1)
        let first = snapshot("aaa", at: 1)
        #expect(container.install(first, 9, PushPermits(0)).action == .none)
        #expect(container.announce(9, first) == FileSize(bytes: 3, generation: 1))
        let second = snapshot("bbb", at: 2)
        #expect(container.install(second, 9, PushPermits(1)).action == .store)
        container.stored(9, second, success: false)
        #expect(container.sizeForLookup(9).generation == 2)
    }

    @Test func withoutASlotContentGetsLongerALittleLater() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaa", at: 1, container)
        let soon = container.install(snapshot("bbbb", at: 100_000_000), 9, PushPermits(0))
        #expect(soon.action == .none && soon.content?.text == "aaa")
        #expect(container.announcedSize == 3)
        // The former stays as long as it is needed.
        #expect(container.expire(9, time: 1))
        container.dropped(9)
        let later = container.install(snapshot("bbbb", at: 199_999_999), 9, PushPermits(0))
        #expect(later.content?.text == "aaa")
        let late = container.install(snapshot("bbbb", at: 200_000_000), 9, PushPermits(0))
        #expect(late.content?.text == "bbbb")
        #expect(container.announcedSize == 4)
    }

    /// Or it would stay in the page cache for those who do not ask for attributes.
    @Test func contentOfAnEarlierWorkerIsDroppedEachTimeItIsShown() throws {
        let container = try makeContainer("x", slot: 1)
        let former = snapshot("aaa", at: 1)
        container.adopt(former, 9)
        #expect(container.repeated(9, former, now: 50, window: 10).scheduled == nil)
        #expect(container.expire(9, time: 1))
        container.dropped(9)
        let again = container.repeated(9, former, now: 60, window: 10)
        #expect(again.size.bytes == 3 && again.scheduled == 50)
        // It is not fresh, though.
        #expect(container.freshSize(9, now: 60, window: 10) == nil)
        #expect(container.expire(9, time: 50))
        container.dropped(9)
        _ = container.repeated(9, former, now: 80, window: 10)
        // Who has read it may be about to ask whether that was all.
        let slots = PushPermits(2)
        #expect(slots.beginGrowing())
        #expect(container.install(snapshot("bbbb", at: 90), 9, slots).content?.text == "aaa")
        slots.endGrowing()
        let step = container.install(snapshot("bbbb", at: 95), 9, slots)
        #expect(step.action == .grow && step.dropsFirst)
    }

    @Test func oneContentGetsLongerAtATime() throws {
        let container = try makeContainer("x", slot: 1)
        push("aaa", at: 1, container)
        push("zzz", at: 1, container, key: 10)
        let slots = PushPermits(2)
        #expect(container.install(snapshot("bbbb", at: 20), 9, slots).action == .grow)
        #expect(container.install(snapshot("yyyy", at: 20), 10, slots).content?.text == "zzz")
        container.abandonGrowing(9)
        slots.endGrowing()
        #expect(container.expire(10, time: 1))
        #expect(container.install(snapshot("yyyy", at: 40), 10, slots).action == .grow)
        // It has been shown in between.
        #expect(container.settles(10, now: 20_000_020, window: 10))
        #expect(!container.settles(10, now: 20_000_021, window: 10))
        #expect(container.announcedSize == 3)
    }

    @Test func aLaterRenderingThatFinishedEarlierWins() throws {
        let container = try makeContainer("x", slot: 1)
        _ = install("newer", at: 5, container)
        let step = container.install(snapshot("oldest", at: 4), 9, PushPermits(1))
        #expect(step.action == .none && step.content?.text == "newer")
        #expect(container.announcedSize == 5)
    }

    /// Most files of a container that does nothing stay as they are.
    @Test func whatThePageCacheHoldsAlreadyIsNotPushedAgain() throws {
        let container = try makeContainer("x", slot: 1)
        _ = install("aaa", at: 1, container)
        push("aaa", at: 10, container)
        #expect(install("aaa", at: 20, container).action == .none)
        // It is as fresh as if it had been pushed, and stays until it is as old.
        #expect(container.freshSize(9, now: 29, window: 10)?.bytes == 3)
        #expect(!container.expire(9, time: 10))
        push("bbb", at: 40, container)
        #expect(install("bbb", at: 60, container).action == .none)
        // Once it has been dropped, it is.
        #expect(container.expire(9, time: 60))
        container.dropped(9)
        push("bbb", at: 80, container)
    }

    @Test func whatThePageCacheMayNotHoldIsPushedAgain() throws {
        let container = try makeContainer("x", slot: 1)
        _ = install("aaa", at: 1, container)
        // Brought by READ.
        #expect(read(container, now: 60, made: snapshot("ccc", at: 60)) == "ccc")
        push("ccc", at: 80, container)
        // Pushing it failed.
        let failed = snapshot("ddd", at: 100)
        #expect(container.install(failed, 9, PushPermits(1)).action == .store)
        container.stored(9, failed, success: false)
        push("ddd", at: 120, container)
    }

    @Test func expiryEndsOneContentOnly() throws {
        let container = try makeContainer("x", slot: 1)
        _ = install("aaa", at: 1, container)
        #expect(!container.expire(9, time: 0))
        push("bbb", at: 20, container)
        #expect(!container.expire(9, time: 1))
        #expect(read(container, now: 21) == "bbb")
        #expect(container.expire(9, time: 20))
        #expect(read(container, now: 21) == "nothing")
        #expect(container.sizeForLookup(9).bytes == 3)
    }

    @Test func readWithoutAttributesOnlyShowsWhatFitsTheSize() throws {
        let container = try makeContainer("x", slot: 1)
        #expect(read(container, now: 1, made: snapshot("aaa", at: 1)) == "former -1")
        _ = install("aaa", at: 1, container)
        #expect(read(container, now: 20, made: snapshot("bbb", at: 20)) == "bbb")
        #expect(read(container, now: 40, made: snapshot("cc", at: 40)) == "cc")
        #expect(container.sizeForLookup(9).bytes == 2)
        #expect(read(container, now: 60, made: snapshot("ddd", at: 60)) == "cc")
        #expect(
            read(container, now: 2_000_000_000, made: snapshot("ddd", at: 60)) == "former 2")
        // Of a file that takes several requests, others may have got a part.
        push(String(repeating: "x", count: 20_000), at: 80, container)
        let short = snapshot("short", at: 100)
        #expect(container.expire(9, time: 80))
        container.dropped(9)
        #expect(read(container, now: 100, made: short, offset: 4096) == "former 20000")
        // That brought pages of the former content, which the next must not come upon.
        #expect(container.install(short, 9, PushPermits(1)).dropsFirst)
    }

    /// Nobody asks for the size of what is mapped.
    @Test func contentThatDidNotFitGetsLongerAfterTheRead() throws {
        let container = try makeContainer("x", slot: 1)
        let slots = PushPermits(1)
        let longer = snapshot("dddd", at: 60)
        #expect(container.outgrow(longer, 9, slots) == nil)
        push("ccc", at: 1, container)
        #expect(read(container, now: 60, made: longer) == "ccc")
        #expect(container.outgrow(snapshot("ddd", at: 60), 9, slots) == nil)
        #expect(container.outgrow(longer, 9, PushPermits(0)) == nil)
        #expect(container.outgrow(snapshot("dddd", at: 0), 9, slots) == nil)
        let content = try #require(container.outgrow(longer, 9, slots))
        // What is being dropped is still answered as before, and only one thread is at it.
        #expect(read(container, now: 61) == "ccc")
        #expect(container.outgrow(snapshot("eeee", at: 62), 9, PushPermits(1)) == nil)
        container.beginGrowing(9, content, now: 60)
        container.stored(9, content, success: true)
        #expect(read(container, now: 61) == "dddd")
        #expect(container.announcedSize == 4)
    }

    @Test func slotsRunOut() {
        let slots = PushPermits(1)
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

extension Container {
    fileprivate var announcedSize: Int? { files[9]?.announced }
}

extension Snapshot {
    fileprivate var text: String { withExtendedLifetime(self) { bytes.string } }
}
