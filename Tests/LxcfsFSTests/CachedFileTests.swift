import Cgroups
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

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

    private let lock = Lock()

    private func makeFile(generation: Int = 0) -> CachedFile {
        CachedFile(lock: lock, generation: generation)
    }

    private func push(_ text: String, at time: UInt64, _ file: CachedFile) {
        if file.announced == nil { _ = install(text, at: time, file) }
        let action = install(text, at: time, file).action
        #expect(action == .store || action == .grow, "\(text) is not pushed")
        #expect(file.announced == text.utf8.count)
    }

    /// Does all of what is to be done with content.
    private func install(
        _ text: String, at time: UInt64, _ file: CachedFile
    ) -> CachedFile.Step {
        let step = file.install(snapshot(text, at: time), PushPermits(1))
        guard let content = step.content else { return step }
        if step.dropsFirst { file.dropped() }
        if step.action == .grow {
            file.beginDropping()
            file.dropped()
            #expect(file.settle(force: false))
            file.beginGrowing(content, by: 7, now: time)
        }
        switch step.action {
        case .none, .wait: break
        case .store, .grow: file.stored(content, success: true)
        case .shrink:
            file.beginDropping()
            file.dropped()
            #expect(file.settle(force: false))
            #expect(file.shrink(content, now: 26, force: false))
        }
        return step
    }

    private func freshSize(_ file: CachedFile, now: UInt64) -> Int? {
        guard case .fresh(let size) = file.sizeToTell(now: now, window: 10) else { return nil }
        return size.bytes
    }

    /// Whether content of that time has ended, and is dropped.
    private func expire(_ file: CachedFile, time: UInt64) -> Bool {
        guard case .drop = file.expire(time: time, now: 9_000_000_000) else { return false }
        file.endExpiring()
        return true
    }

    private func read(
        _ file: CachedFile, now: UInt64, made: Snapshot? = nil, offset: Int = 0,
        size: Int = 4096
    ) -> String {
        switch file.contentForRead(made, now: now, window: 10, offset: offset, size: size) {
        case .content(let content): content.text
        case .former(let count): "former \(count ?? -1)"
        case .nothing: "nothing"
        case .wait: "wait"
        case .waitFor(let thread): "wait for \(thread)"
        case .waitForAnswer(let since): "wait for the answer of \(since)"
        }
    }

    @Test func pagesOfAnEarlierWorkerAreDroppedBeforeSomethingIsPushed() throws {
        let file = makeFile(generation: 5)
        file.adopt(snapshot("0123", at: 1))
        // READ and a repeated question for the size find it.
        #expect(read(file, now: 2) == "0123")
        let first = install("01234", at: 20, file)
        #expect(first.action == .grow)
        let second = install("12345", at: 40, file)
        #expect(second.action == .store && !second.dropsFirst)
    }

    @Test func newContentServesForTheWindow() throws {
        let file = makeFile()
        #expect(freshSize(file, now: 0) == nil)
        #expect(install("aaa", at: 1, file).action == .none)
        #expect(freshSize(file, now: 2) == 3)
        #expect(read(file, now: 2) == "aaa")
        #expect(freshSize(file, now: 11) == nil)
        #expect(read(file, now: 11) == "nothing")
    }

    @Test func ofLongerContentTheKernelIsToldWhenItHasNoPages() throws {
        let file = makeFile()
        push("aaa", at: 1, file)
        let slots = PushPermits(2)
        let longer = snapshot("bbbb", at: 20)
        let step = file.install(longer, slots)
        #expect(step.action == .grow)
        file.beginDropping()
        // Dropping pages waits for READ: that gets what there was, however long it takes.
        #expect(read(file, now: 90) == "aaa")
        // One thread changes the page cache at a time.
        #expect(file.install(snapshot("cc", at: 22), slots).action == .none)
        #expect(file.announce(longer).bytes == 3)
        file.beginGrowing(longer, by: 7, now: 93)
        #expect(file.announce(longer).bytes == 4)
        // The kernel takes note of the size, and then pushing waits for READ.
        #expect(read(file, now: 29) == "wait for 7")
        file.hasTold(8)
        #expect(read(file, now: 29) == "wait for 7")
        file.hasTold(7)
        #expect(read(file, now: 29) == "bbbb")
        file.stored(longer, success: true)
        #expect(freshSize(file, now: 23) == 4)
        // The slot of the second one has been given back.
        #expect(slots.take())
    }

    @Test func nobodyWaitsForReadersThatThereAreNot() throws {
        let file = makeFile()
        push("aaa", at: 1, file)
        #expect(file.install(snapshot("bbbb", at: 20), PushPermits(1)).action == .grow)
        // The page cache may have served it for two windows.
        #expect(file.wasShown(now: 20_000_020, window: 10))
        #expect(!file.wasShown(now: 20_000_021, window: 10))
        #expect(file.wasShown(now: 20_000_021, window: 20))
        #expect(expire(file, time: 1))
        #expect(!file.wasShown(now: 20_000_021, window: 20))
    }

    @Test func shorterContentIsReadNotPushed() throws {
        let file = makeFile()
        push("aaaa", at: 1, file)
        let content = snapshot("aaa", at: 20)
        #expect(file.install(content, PushPermits(1)).action == .shrink)
        // While pages are dropped READ gets what there was, and the size is not told.
        file.beginDropping()
        #expect(read(file, now: 21) == "aaaa")
        guard case .waitForAMoment = file.sizeToTell(now: 22, window: 10) else {
            Issue.record("told")
            return
        }
        // That page has come after they were.
        #expect(!file.settle(force: false))
        file.beginDropping()
        file.dropped()
        #expect(file.settle(force: false))
        #expect(read(file, now: 23) == "wait")
        guard case .wait = file.sizeToTell(now: 24, window: 10) else {
            Issue.record("told")
            return
        }
        #expect(file.install(snapshot("z", at: 25), PushPermits(1)).action == .wait)
        guard case .wait = file.expire(time: 1, now: 9_000_000_000) else {
            Issue.record("dropped")
            return
        }
        #expect(file.shrink(content, now: 26, force: false))
        #expect(read(file, now: 26) == "aaa")
        #expect(freshSize(file, now: 26) == 3)
    }

    /// An answer with the former size would be taken note of after the new content.
    @Test func pagesAreDroppedAgainIfASizeWasTold() throws {
        let file = makeFile()
        push("aaaa", at: 1, file)
        let content = snapshot("aaa", at: 20)
        #expect(file.install(content, PushPermits(1)).action == .shrink)
        file.beginDropping()
        #expect(file.sizeMeanwhile(now: 21).bytes == 4)
        #expect(!file.settle(force: false))
        file.beginDropping()
        #expect(file.settle(force: false))
        #expect(file.sizeForLookup(now: 22).bytes == 4)
        #expect(!file.shrink(content, now: 26, force: false))
        file.beginDropping()
        // So would the READ be ignored if somebody else dropped them.
        #expect(file.settle(force: false))
        #expect(file.shrink(content, now: 26, force: false))
        #expect(file.announced == 3)
    }

    @Test func pagesAreDroppedAgainIfSomebodyElseIsAtIt() throws {
        let file = makeFile()
        push("aaaa", at: 1, file)
        guard case .drop = file.expire(time: 1, now: 9_000_000_000) else {
            Issue.record("not due")
            return
        }
        #expect(file.install(snapshot("aaa", at: 20), PushPermits(1)).action == .shrink)
        file.beginDropping()
        #expect(!file.settle(force: false))
        file.endExpiring()
        #expect(file.settle(force: false))
    }

    /// Each time, readers and a thread wait.
    @Test func underTheEyesOfReadersTheSizeSeldomChanges() throws {
        let file = makeFile()
        push("aaa", at: 1, file)
        #expect(install("bbbb", at: 20, file).action == .grow)
        var time: UInt64 = 20
        // One of the same size comes in between.
        for text in ["cccc", "dddd", "eeee"] {
            time += 30_000_000
            #expect(install("ff", at: time - 1, file).content?.text != "ff")
            #expect(install(text, at: time, file).action == .store)
        }
        #expect(install("ff", at: 100_000_020, file).action == .shrink)
        // Nobody has seen it.
        #expect(install("gggg", at: 140_000_020, file).action == .grow)
    }

    /// Two seconds ago it might have been told a size of which it takes note only now.
    @Test func aReaderWhoDoesNotAskForTheSizeGetsShorterContent() throws {
        let file = makeFile()
        push("aaaa", at: 1, file)
        #expect(expire(file, time: 1))
        file.dropped()
        #expect(
            read(file, now: 1_000_000_001, made: snapshot("bbb", at: 1_000_000_001))
                == "former 4")
        #expect(
            read(file, now: 1_000_000_002, made: snapshot("bbb", at: 1_000_000_002)) == "bbb")
        #expect(file.announced == 3)
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
        let file = makeFile()
        #expect(file.sizeForLookup(now: 1) == FileSize(bytes: 16384, generation: 0))
        file.hasTaken(guessAt: 1)
        // So that sendfile(2), which asks for no attributes, gets what READ makes.
        #expect(read(file, now: 1, made: snapshot("aaa", at: 1)) == "aaa")
        #expect(file.sizeForLookup(now: 1).bytes == 3)
    }

    /// Who asks later takes note of an answer later: the kernel would ignore the end that this READ
    /// shows, and give 16,384 bytes.
    @Test(arguments: [false, true]) func anAnswerWithoutContentIsWaitedFor(
        isAsked: Bool
    ) throws {
        let file = makeFile()
        _ = file.sizeForLookup(now: 1)
        #expect(file.sizeMeanwhile(now: 2).bytes == 16384)
        let content = snapshot("aaa", at: 3)
        if isAsked { #expect(file.install(content, PushPermits(1)).action == .none) }
        #expect(read(file, now: 3, made: content) == "wait for the answer of 2")
        // From then on no other answer is one without content.
        #expect(file.sizeForLookup(now: 4).bytes == 3)
        file.hasTaken(guessAt: 1)
        #expect(read(file, now: 5) == "wait for the answer of 2")
        file.hasTaken(guessAt: 2)
        #expect(read(file, now: 6) == "aaa")
    }

    @Test func contentThatIsJustBeingToldOfIsRead() throws {
        let file = makeFile()
        _ = file.sizeForLookup(now: 1)
        file.hasTaken(guessAt: 1)
        #expect(file.install(snapshot("aaa", at: 1), PushPermits(1)).action == .none)
        #expect(read(file, now: 2) == "aaa")
    }

    @Test func withoutASlotTheKernelIsMadeToRead() throws {
        let file = makeFile()
        let first = snapshot("aaa", at: 1)
        #expect(file.install(first, PushPermits(0)).action == .none)
        #expect(file.announce(first) == FileSize(bytes: 3, generation: 1))
        let second = snapshot("bbb", at: 2)
        #expect(file.install(second, PushPermits(1)).action == .store)
        file.stored(second, success: false)
        #expect(file.sizeForLookup(now: 1).generation == 2)
    }

    @Test func withoutASlotContentGetsLongerALittleLater() throws {
        let file = makeFile()
        push("aaa", at: 1, file)
        let soon = file.install(snapshot("bbbb", at: 100_000_000), PushPermits(0))
        #expect(soon.action == .none && soon.content?.text == "aaa")
        #expect(file.announced == 3)
        // The former stays as long as it is needed.
        #expect(expire(file, time: 1))
        file.dropped()
        let later = file.install(snapshot("bbbb", at: 199_999_999), PushPermits(0))
        #expect(later.content?.text == "aaa")
        let late = file.install(snapshot("bbbb", at: 200_000_000), PushPermits(0))
        #expect(late.content?.text == "bbbb")
        #expect(file.announced == 4)
        // Where there are slots its turn comes.
        let slots = PushPermits(2)
        #expect(slots.beginResizing(now: 1))
        #expect(file.install(snapshot("cc", at: 400_000_000), slots).content?.text == "bbbb")
        #expect(file.install(snapshot("cc", at: 2_300_000_000), slots).content?.text == "bbbb")
        #expect(file.install(snapshot("cc", at: 2_400_000_000), slots).content?.text == "cc")
    }

    /// Or it would stay in the page cache for those who do not ask for attributes.
    @Test func contentOfAnEarlierWorkerIsDroppedEachTimeItIsShown() throws {
        let file = makeFile()
        let former = snapshot("aaa", at: 1)
        file.adopt(former)
        #expect(file.repeated(former, now: 50, window: 10).scheduled == nil)
        #expect(expire(file, time: 1))
        file.dropped()
        let again = file.repeated(former, now: 60, window: 10)
        #expect(again.size.bytes == 3 && again.scheduled == 50)
        // It is not fresh, though.
        #expect(freshSize(file, now: 60) == nil)
        #expect(expire(file, time: 50))
        file.dropped()
        _ = file.repeated(former, now: 80, window: 10)
        // Who has read it may be about to ask whether that was all.
        let slots = PushPermits(2)
        #expect(slots.beginResizing(now: 1))
        #expect(file.install(snapshot("bbbb", at: 90), slots).content?.text == "aaa")
        slots.endResizing()
        let step = file.install(snapshot("bbbb", at: 95), slots)
        #expect(step.action == .grow)
    }

    @Test func oneContentGetsLongerAtATime() throws {
        let file = makeFile()
        push("aaa", at: 1, file)
        let other = makeFile()
        push("zzz", at: 1, other)
        let slots = PushPermits(2)
        #expect(file.install(snapshot("bbbb", at: 20), slots).action == .grow)
        #expect(other.install(snapshot("yyyy", at: 20), slots).content?.text == "zzz")
        file.abandonResizing()
        slots.endResizing()
        #expect(expire(other, time: 1))
        #expect(other.install(snapshot("yyyy", at: 40), slots).action == .grow)
        // It has been shown in between.
        #expect(other.wasShown(now: 20_000_020, window: 10))
        #expect(!other.wasShown(now: 20_000_021, window: 10))
        #expect(file.announced == 3)
    }

    @Test func aLaterRenderingThatFinishedEarlierWins() throws {
        let file = makeFile()
        _ = install("newer", at: 5, file)
        let step = file.install(snapshot("oldest", at: 4), PushPermits(1))
        #expect(step.action == .none && step.content?.text == "newer")
        #expect(file.announced == 5)
    }

    /// Most files of a container that does nothing stay as they are.
    @Test func whatThePageCacheHoldsAlreadyIsNotPushedAgain() throws {
        let file = makeFile()
        _ = install("aaa", at: 1, file)
        push("aaa", at: 10, file)
        #expect(install("aaa", at: 20, file).action == .none)
        // It is as fresh as if it had been pushed, and stays until it is as old.
        #expect(freshSize(file, now: 29) == 3)
        #expect(!expire(file, time: 10))
        push("bbb", at: 40, file)
        #expect(install("bbb", at: 60, file).action == .none)
        // Once it has been dropped, it is.
        #expect(expire(file, time: 60))
        file.dropped()
        push("bbb", at: 80, file)
    }

    @Test func whatThePageCacheMayNotHoldIsPushedAgain() throws {
        let file = makeFile()
        _ = install("aaa", at: 1, file)
        // Brought by READ.
        #expect(read(file, now: 60, made: snapshot("ccc", at: 60)) == "ccc")
        push("ccc", at: 80, file)
        // Pushing it failed.
        let failed = snapshot("ddd", at: 100)
        #expect(file.install(failed, PushPermits(1)).action == .store)
        file.stored(failed, success: false)
        push("ddd", at: 120, file)
    }

    @Test func expiryEndsOneContentOnly() throws {
        let file = makeFile()
        _ = install("aaa", at: 1, file)
        #expect(!expire(file, time: 0))
        push("bbb", at: 20, file)
        #expect(!expire(file, time: 1))
        #expect(read(file, now: 21) == "bbb")
        #expect(expire(file, time: 20))
        #expect(read(file, now: 21) == "nothing")
        #expect(file.sizeForLookup(now: 1).bytes == 3)
    }

    @Test func readWithoutAttributesOnlyShowsWhatFitsTheSize() throws {
        let file = makeFile()
        #expect(read(file, now: 1, made: snapshot("aaa", at: 1)) == "former -1")
        _ = install("aaa", at: 1, file)
        #expect(read(file, now: 20, made: snapshot("bbb", at: 20)) == "bbb")
        #expect(read(file, now: 40, made: snapshot("cc", at: 40)) == "bbb")
        #expect(file.sizeForLookup(now: 1).bytes == 3)
        #expect(read(file, now: 60, made: snapshot("dddd", at: 60)) == "bbb")
        #expect(
            read(file, now: 2_000_000_000, made: snapshot("dddd", at: 60)) == "former 3")
        // Of a file that takes several requests, others may have got a part.
        push(String(repeating: "x", count: 20_000), at: 80, file)
        let short = snapshot("short", at: 100)
        #expect(expire(file, time: 80))
        file.dropped()
        #expect(read(file, now: 100, made: short, offset: 4096) == "former 20000")
    }

    /// Nobody asks for the size of what is mapped.
    @Test func contentThatDidNotFitGetsLongerAfterTheRead() throws {
        let file = makeFile()
        let slots = PushPermits(1)
        let longer = snapshot("dddd", at: 60)
        #expect(file.outgrow(longer, slots) == nil)
        push("ccc", at: 1, file)
        #expect(read(file, now: 60, made: longer) == "ccc")
        #expect(file.outgrow(snapshot("ddd", at: 60), slots) == nil)
        #expect(file.outgrow(longer, PushPermits(0)) == nil)
        #expect(file.outgrow(snapshot("dddd", at: 0), slots) == nil)
        let step = try #require(file.outgrow(longer, slots))
        #expect(step.action == .grow)
        let content = try #require(step.content)
        // What is being dropped is still answered as before, and only one thread is at it.
        #expect(read(file, now: 61) == "ccc")
        #expect(file.outgrow(snapshot("eeee", at: 62), PushPermits(1)) == nil)
        file.beginGrowing(content, by: 7, now: 60)
        file.stored(content, success: true)
        #expect(read(file, now: 61) == "dddd")
        #expect(file.announced == 4)
        #expect(file.outgrow(snapshot("fff", at: 80), PushPermits(1))?.action == .shrink)
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

extension Snapshot {
    fileprivate var text: String { withExtendedLifetime(self) { bytes.string } }
}
