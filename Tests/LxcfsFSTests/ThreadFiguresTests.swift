import Cgroups
import Testing

@testable import LxcfsFS

@Suite struct ThreadFiguresTests {
    private func look(_ extent: TaskLook.Extent, running: Int, listed: Int, last: Int = 0)
        -> TaskLook
    {
        var look = TaskLook()
        look.extent = extent
        look.counts.running = running
        look.counts.lastPID = last
        look.listed = listed
        look.cgroups = 1
        return look
    }

    @Test func whatIsKnownOfAllIsNotReplacedByAPart() {
        var figures = ThreadFigures()
        #expect(figures.counts == nil && figures.age(now: 5) == .max)
        figures.take(look(.part, running: 3, listed: 900), now: 10)
        #expect(figures.counts?.running == 3 && figures.isPartial && figures.isLarge)
        figures.take(look(.part, running: 5, listed: 900), now: 20)
        #expect(figures.counts?.running == 5)
        figures.take(look(.round, running: 8, listed: 100, last: 40), now: 30)
        #expect(figures.counts?.running == 8 && !figures.isPartial)
        figures.take(look(.part, running: 1, listed: 900, last: 70), now: 40)
        #expect(figures.counts?.running == 8 && figures.counts?.lastPID == 70)
        #expect(figures.age(now: 45) == 5)
        #expect(figures.isLarge)
        figures.take(look(.all, running: 2, listed: 256), now: 50)
        #expect(figures.counts?.running == 2 && !figures.isLarge)
        figures.take(look(.all, running: 2, listed: 257), now: 60)
        #expect(figures.isLarge)
    }

    @Test func aLookThatTookLongIsFollowedByALongPause() {
        var figures = ThreadFigures()
        let asked1 = figures.enqueue(now: 100)
        #expect(asked1)
        let asked2 = figures.enqueue(now: 100)
        #expect(!asked2)
        figures.dequeue(now: 1000, cost: 1)
        let asked3 = figures.enqueue(now: 1000 + ThreadFigures.lifetime - 1)
        #expect(!asked3)
        let asked4 = figures.enqueue(now: 1000 + ThreadFigures.lifetime)
        #expect(asked4)
        figures.dequeue(now: 0, cost: 300_000_000)
        let asked5 = figures.enqueue(now: 29_999_999_999)
        #expect(!asked5)
        let asked6 = figures.enqueue(now: 30_000_000_000)
        #expect(asked6)
        figures.dequeue(now: 5, cost: .max)
        let asked7 = figures.enqueue(now: .max - 1)
        #expect(!asked7)
    }

    @Test func noMoreThanAMinuteOfSamplesIsKept() {
        var figures = ThreadFigures()
        for active in 0..<20 { figures.keep(sample: active) }
        let samples1 = figures.takeSamples()
        #expect(samples1 == Array(8..<20))
        let samples2 = figures.takeSamples()
        #expect(samples2 == [])
    }
}

@Suite struct RecentlyUsedTests {
    @Test func whatNobodyAsksForIsForgottenFirst() {
        var known = RecentlyUsed<Int, Int, String>(limit: 100)
        _ = known.insert("mine", for: -1, of: 1)
        for key in 0..<10_000 {
            let forgotten = known.insert("\(key)", for: key, of: 1)
            #expect(!forgotten.contains("mine") && !forgotten.contains("\(key)"))
            #expect(known.count <= 100)
            let mine = known[-1]
            #expect(mine == "mine")
        }
        let (newest, oldest) = (known[9_999], known[0])
        #expect(newest == "9999" && oldest == nil)
        let removed = known.remove { $0 == "mine" }
        let mine = known[-1]
        #expect(removed == ["mine"] && mine == nil)
    }

    @Test func whoHasMostLosesFirst() {
        var known = RecentlyUsed<Int, Int, Int>(limit: 100)
        // Long ago: 30 owners with one each, and one with 20.
        for owner in 0..<30 { _ = known.insert(owner, for: owner, of: owner) }
        for key in 30..<50 { _ = known.insert(key, for: key, of: 30) }
        for key in 1000..<9000 {
            let forgotten = known.insert(key, for: key, of: 99)
            #expect(forgotten.allSatisfy { $0 >= 1000 && $0 != key }, "\(forgotten)")
            #expect(known.count <= 100)
        }
        for key in 0..<50 {
            let value = known[key]
            #expect(value == key)
        }
    }

    @Test func moreOwnersThanThereIsRoom() {
        var known = RecentlyUsed<Int, Int, Int>(limit: 100)
        for key in 0..<1000 {
            let forgotten = known.insert(key, for: key, of: key)
            #expect(!forgotten.contains(key) && known.count <= 100)
        }
        let (newest, old) = (known[999], known[900])
        #expect(newest == 999 && old == nil)
        #expect(known.count >= 75)
    }

    @Test func whatWasThereBeforeIsHandedOut() {
        var known = RecentlyUsed<Int, Int, String>(limit: 2)
        _ = known.insert("a", for: 1, of: 1)
        let former = known.insert("b", for: 1, of: 1)
        #expect(former == ["a"] && known.count == 1)
    }
}
