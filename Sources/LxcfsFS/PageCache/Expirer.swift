import Glibc
import KernelText
import LxcfsHandover
import Syscalls

/// Drops content from the kernel's page cache some time after its window is over.
///
/// read(2) asks for attributes first, and so notices by itself that content is too old;
/// sendfile(2), splice(2) and mmap(2) take whatever the page cache holds. That lives longer than
/// the window, and ends together with what ends soon after: a thread that wakes up costs as much
/// as a small file, and of a file that is read again and again only the last content has to be
/// dropped. All contents live equally long, so what was pushed first ends first.
///
/// One thread does that. If a drop takes long, another one goes on with the others' contents: a
/// watching thread sees to it. A container that has made one wait is left to threads that do
/// nothing else for some time, see ``DropTurns``.
final class Expirer: @unchecked Sendable {
    private struct Entry {
        let file: CachedFile
        let node: NodeID
        /// Of the snapshot.
        let time: UInt64
        /// Drop the pages even if the file has newer content by then.
        let isDropped: Bool
    }

    /// Contents of a container that cannot be dropped yet.
    private final class Late {
        let turns: DropTurns
        /// By file: of each the last one.
        var entries: [UInt64: Entry] = [:]
        var due: UInt64

        init(_ turns: DropTurns, due: UInt64) {
            self.turns = turns
            self.due = due
        }
    }

    /// How long content stays at least, and how much longer one may wait for others, in
    /// nanoseconds. The longer the wait, the fewer times the thread wakes up.
    private static let shortestLife: UInt64 = 20_000_000
    private static let pause: UInt64 = 80_000_000
    /// How long content waits that cannot be dropped at this moment.
    private static let delay: UInt64 = 2_000_000
    /// Threads for containers that make them wait.
    private static let mostHelpers = 8
    /// Threads that wait for a first time, each for another container.
    private static let mostLost = 24

    private let kernel: any KernelPages
    private let life: UInt64
    /// Wakes the thread when the first contents end, and not when they are made.
    private let timer: Timer
    /// Wakes the watching thread when a drop takes long.
    private let watch: Timer
    private let lock = Lock()
    private var queue: [Entry] = []
    /// The first entries of `queue` are done.
    private var done = 0
    private var late: [ObjectIdentifier: Late] = [:]
    /// Containers of which a thread is dropping pages.
    private var busy: Set<ObjectIdentifier> = []
    private var helpers = 0
    /// Threads that still wait for what others have gone on without.
    private var lost = 0
    /// The number of the thread that drops what is due; those before are lost.
    private var leader = 0
    /// What that thread is dropping, and since when.
    private var current: (turns: DropTurns, since: UInt64)?
    private var isWatched = false

    /// - Parameter window: how old content may be for read(2), in nanoseconds.
    init(_ kernel: any KernelPages, window: UInt64) throws(SystemError) {
        self.kernel = kernel
        life = max(window, Self.shortestLife)
        timer = try Timer()
        watch = try Timer()
    }

    func start() throws(SystemError) {
        try startThread("expiry") { [self] in run(0) }
        try startThread("expiry-watch") { [self] in
            while true {
                watch.wait()
                lookAtLeader()
            }
        }
    }

    /// Content of `time` is in the page cache, or will be.
    func schedule(_ file: CachedFile, _ node: NodeID, time: UInt64) {
        schedule(Entry(file: file, node: node, time: time, isDropped: false))
    }

    /// Content that is none of the file's any more has come into the page cache.
    ///
    /// - Parameter time: now.
    func scheduleAlways(_ file: CachedFile, _ node: NodeID, time: UInt64) {
        schedule(Entry(file: file, node: node, time: time, isDropped: true))
    }

    private func schedule(_ entry: Entry) {
        lock.lock()
        queue.append(entry)
        if queue.count - done == 1 { setTimer() }
        lock.unlock()
    }

    /// Takes content out of the page cache. Waits while a reader waits for the page.
    ///
    /// - Returns: whether nothing is left there.
    func drop(_ node: NodeID, _ file: CachedFile) -> Bool {
        let start = Clock.monotonic()
        let used = Clock.thread()
        let isDropped = kernel.drop(node)
        let end = Clock.monotonic()
        file.turns.note(
            cpu: clampedDifference(Clock.thread(), used), time: clampedDifference(end, start),
            now: end)
        if isDropped { file.dropped() }
        return isDropped
    }

    // MARK: - The thread that drops what is due

    private func run(_ number: Int) {
        while true {
            if expireNext(now: Clock.monotonic(), by: number) { continue }
            // Another one has gone on.
            if lock.withLock({ number != leader }) { break }
            timer.wait()
        }
        lock.withLock { lost -= 1 }
    }

    /// Ends the first content if its time is over.
    ///
    /// - Returns: false if there is none, or if another thread does that now; then the timer is
    ///   set.
    func expireNext(now: UInt64, by number: Int = 0) -> Bool {
        lock.lock()
        guard number == leader, let entry = next(now: now) else {
            if number == leader { setTimer() }
            lock.unlock()
            return false
        }
        let turns = entry.file.turns
        let key = ObjectIdentifier(turns)
        if turns.isSlow(now: now) || busy.contains(key) || !turns.mayDrop(now: now) {
            putOff(entry, due: max(turns.nextTurn, now + Self.delay))
            startHelper(now: now)
            lock.unlock()
            return true
        }
        busy.insert(key)
        current = (turns, Clock.monotonic())
        if !isWatched {
            isWatched = true
            watch.set(Clock.monotonic() + DropTurns.longest)
        }
        lock.unlock()
        let isDone = expire(entry, now: now)
        lock.lock()
        busy.remove(key)
        if number == leader { current = nil }
        if !isDone { putOff(entry, due: now + Self.delay) }
        lock.unlock()
        return true
    }

    /// - Returns: false if that has to wait.
    private func expire(_ entry: Entry, now: UInt64) -> Bool {
        switch entry.file.expire(time: entry.time, always: entry.isDropped, now: now) {
        case .wait: return false
        case .nothing: return true
        case .drop:
            _ = drop(entry.node, entry.file)
            entry.file.endExpiring()
            return true
        }
    }

    private func setTimer() {
        var end = queue.count > done ? queue[done].time + life + Self.pause : UInt64.max
        let now = Clock.monotonic()
        for late in late.values where !late.turns.isSlow(now: now) { end = min(end, late.due) }
        if end < .max { timer.set(end) }
    }

    /// The first content that has ended; the caller holds the lock.
    private func next(now: UInt64) -> Entry? {
        if !late.isEmpty, let entry = takeLate(now: now, slow: false) { return entry }
        guard done < queue.count else {
            queue.removeAll(keepingCapacity: queue.capacity <= 4096)
            done = 0
            return nil
        }
        let entry = queue[done]
        if entry.time + life > now { return nil }
        done += 1
        // The content of a container that is gone must not be kept by what is done.
        if done >= 32, done * 2 >= queue.count {
            queue.removeFirst(done)
            done = 0
        }
        return entry
    }

    // MARK: - What has to wait

    private func putOff(_ entry: Entry, due: UInt64) {
        let turns = entry.file.turns
        let key = ObjectIdentifier(turns)
        let waiting = late[key] ?? Late(turns, due: due)
        late[key] = waiting
        waiting.due = max(waiting.due, due)
        let former = waiting.entries[entry.node.raw]
        waiting.entries[entry.node.raw] = Entry(
            file: entry.file, node: entry.node, time: max(entry.time, former?.time ?? 0),
            isDropped: entry.isDropped || former?.isDropped ?? false)
    }

    /// One that has waited long enough, of a container that is slow or is not.
    private func takeLate(now: UInt64, slow: Bool) -> Entry? {
        for (key, waiting) in late
        where waiting.due <= now && waiting.turns.isSlow(now: now) == slow
            && !busy.contains(key)
        {
            guard let entry = waiting.entries.popFirst()?.value else { continue }
            if waiting.entries.isEmpty { late[key] = nil }
            return entry
        }
        return nil
    }

    /// Starts one more thread for containers that make them wait, if there is one for which none
    /// is left.
    private func startHelper(now: UInt64) {
        let slow = late.values.count { $0.turns.isSlow(now: now) }
        guard helpers < min(slow, Self.mostHelpers) else { return }
        helpers += 1
        do throws(SystemError) {
            try startThread("expiry-slow") { [self] in help() }
        } catch {
            // The next content tries again.
            helpers -= 1
        }
    }

    private func help() {
        lock.lock()
        while true {
            let now = Clock.monotonic()
            if let entry = takeLate(now: now, slow: true) {
                let key = ObjectIdentifier(entry.file.turns)
                busy.insert(key)
                lock.unlock()
                let isDone =
                    entry.file.turns.mayDrop(now: now) && expire(entry, now: now)
                lock.lock()
                busy.remove(key)
                if !isDone {
                    putOff(entry, due: max(entry.file.turns.nextTurn, now + Self.delay))
                }
                continue
            }
            guard late.values.contains(where: { $0.turns.isSlow(now: now) }) else { break }
            lock.unlock()
            usleep(5000)
            lock.lock()
        }
        helpers -= 1
        // Of those that are slow no more.
        setTimer()
        lock.unlock()
    }

    // MARK: - The thread that watches

    private func lookAtLeader() {
        lock.lock()
        defer { lock.unlock() }
        isWatched = false
        guard let current else { return }
        let now = Clock.monotonic()
        isWatched = true
        if clampedDifference(now, current.since) < DropTurns.longest || lost >= Self.mostLost {
            watch.set(max(current.since, now) + DropTurns.longest)
            return
        }
        current.turns.noteSlow(now: now)
        isWatched = false
        let number = leader + 1
        do throws(SystemError) {
            try startThread("expiry") { [self] in run(number) }
        } catch {
            isWatched = true
            watch.set(now + DropTurns.longest)
            return
        }
        leader = number
        lost += 1
        self.current = nil
    }
}
