import Glibc
import KernelText
import LxcfsHandover
import Synchronization
import Syscalls

/// What the kernel has of the files of the container connection, and how it gets new content.
/// This is the one door: a tree asks for the size (GETATTR), the content (READ) or the size for
/// a name (LOOKUP) of a file, and hands over how to make content and how to answer.
///
/// One read in a container, see docs/design.md:
///
/// - Within the window the kernel answers it from its page cache: nothing comes here.
/// - After that the kernel asks for the size. Content is made and pushed, and then its size is
///   told: that read(2) and those of the next window find it in the page cache.
/// - What reads pages without asking for the size (sendfile(2), mmap(2)) finds none some time
///   later (``Expirer``), and comes as READ.
///
/// ``CachedFile`` has the rules by which sizes and pages change; here is the order in which the
/// kernel, the next worker (``ToldContents``) and the readers are told.
package final class PageCache: Sendable {
    private let kernel: any KernelPages
    private let window: UInt64
    private let now: @Sendable () -> UInt64
    private let cpuWait: @Sendable () -> UInt64
    private let told: ToldContents
    private let former = FormerContents()
    let expirer: Expirer
    private let permits: PagePermits
    private let firstGeneration: Int
    private let isEnding = Atomic<Bool>(false)

    /// - Parameters:
    ///   - window: how old content may be, in nanoseconds; more than 0.
    ///   - threads: how many threads answer requests. At least two of them never push.
    ///   - worker: how many workers there have been, this one included.
    ///   - cpuWait: how long a thread that could run may have to wait for a CPU at this moment, in
    ///     nanoseconds.
    ///   - now: the monotonic clock, in nanoseconds.
    /// - Throws: what timerfd_create(2) says.
    package init(
        _ kernel: any KernelPages, window: UInt64, threads: Int, worker: UInt64,
        memory: HandoverMemory, cpuWait: @escaping @Sendable () -> UInt64 = { 0 },
        now: @escaping @Sendable () -> UInt64 = Clock.monotonic
    ) throws(SystemError) {
        self.kernel = kernel
        self.window = window
        self.now = now
        self.cpuWait = cpuWait
        told = ToldContents(memory)
        expirer = try Expirer(kernel, window: window)
        permits = PagePermits(pushes: min(max(threads - 2, 0), PagePermits.mostPushes))
        firstGeneration = CachedFile.firstGeneration(ofWorker: worker)
    }

    // MARK: - From one worker to the next

    /// Starts the thread that drops old content.
    package func start() throws(SystemError) { try expirer.start() }

    /// Takes up the contents that an earlier worker has told the kernel of, so that READs
    /// that belong to them find them, and sees to it that they leave the page cache.
    ///
    /// - Parameters:
    ///   - former: the process number of that worker; 0 if there was none.
    ///   - files: those of a container; nil if it is gone.
    package func takeOver(
        from former: pid_t, files: (_ slot: UInt32) -> CachedFiles?
    ) {
        let last = self.former.take(told, former: former, now: now())
        for entry in last.sorted(by: { $0.snapshot.time < $1.snapshot.time }) {
            guard let files = files(entry.node.slot) else { continue }
            let file = file(entry.node, files)
            file.adopt(entry.snapshot)
            expirer.schedule(file, entry.node, time: entry.snapshot.time)
        }
    }

    /// Another worker is about to follow: content that is to change its size is left to it.
    package func end() { isEnding.store(true, ordering: .relaxed) }

    // MARK: - Requests

    /// What the kernel is told when it looks a name up. It must be the size that the kernel has:
    /// a smaller one would cut off a reader who reads just now, and a file without size is never
    /// read by sendfile(2). No content is made for a name: a runtime that mounts all files would
    /// wait for all of it.
    package func sizeForLookup(of node: NodeID, in files: CachedFiles) -> FileSize {
        file(node, files).sizeForLookup(now: now())
    }

    /// What the kernel knows already: for a container that asks too much.
    package func sizeMeanwhile(of node: NodeID, in files: CachedFiles) -> FileSize {
        file(node, files).sizeMeanwhile(now: now())
    }

    /// Sees to it that what the kernel reads next is no older than the window, and tells its size.
    ///
    /// - Parameters:
    ///   - make: makes the content of this moment.
    ///   - tell: answers the request with a size, which the kernel may believe for a window, or
    ///     (`lasts` is false) not at all.
    ///   - later: puts the request off until ``KernelPages/sizeHasChanged()``, if it can; then
    ///     nothing more is done with it. Otherwise the calling thread waits.
    /// - Throws: what `make` throws; then `tell` has not been called.
    package func size(
        of node: NodeID, in files: CachedFiles,
        make: () throws(SystemError) -> Snapshot,
        tell: (_ size: FileSize, _ lasts: Bool) -> Void,
        later: (_ again: Bool) -> Bool = { _ in false }
    ) throws(SystemError) {
        let file = file(node, files)
        let now = now()
        if let former = former.content(of: node, now: now) {
            tell(showAgain(former, file, node, now: now), false)
            return
        }
        var pauses = 0
        var made: Snapshot?
        let permits = files.permits(of: permits)
        defer { if pauses > 0 { kernel.hasWaited() } }
        func pause(_ microseconds: UInt32) {
            if pauses == 0 { kernel.willWait() }
            pauses += 1
            usleep(microseconds)
        }
        while true {
            switch file.sizeToTell(now: self.now(), window: window) {
            case .fresh(let size):
                tell(size, true)
                return
            case .waitForAMoment where pauses > Self.mostPauses:
                tell(file.sizeMeanwhile(now: self.now()), false)
                return
            case .waitForAMoment:
                pause(50)
                continue
            case .wait:
                if later(true) { return }
                pause(50)
                continue
            case .due: break
            }
            var content = made
            if content.map({ clampedDifference(self.now(), $0.time) >= window }) ?? true {
                content = try make()
            }
            guard let content else { continue }
            let step = file.install(content, permits, mayWait: pauses <= Self.mostPauses)
            if step.action == .wait {
                if later(false) { return }
                made = content
                pause(200)
                continue
            }
            answer(content, step, file, node, permits, tell)
            return
        }
    }

    /// How often GETATTR waits for pages to be dropped, at least 50 us each time, and for another
    /// file to get its size: that may itself wait for a READ that only this thread can answer.
    private static let mostPauses = 40

    /// Answers GETATTR after new content has been made.
    private func answer(
        _ made: Snapshot, _ step: CachedFile.Step, _ file: CachedFile, _ node: NodeID,
        _ permits: PushPermits, _ tell: (_ size: FileSize, _ lasts: Bool) -> Void
    ) {
        // What another thread has made is told of by that.
        guard let content = step.content, content.time == made.time else {
            tell(file.announce(step.content ?? made), true)
            return
        }
        switch step.action {
        case .grow where file.wasShown(now: now(), window: window):
            // This question too may be that of a reader who has read it to its end: the
            // answer repeats the former size, and the longer content comes after it.
            tell(file.announce(content), false)
            grow(file, node, content, permits)
        case .grow:
            grow(file, node, content, permits)
            tell(file.announce(content), true)
        case .shrink:
            let isDone = shrink(file, node, content, permits)
            tell(file.announce(content), isDone)
        case .none, .store, .wait:
            let size = told.telling(content, node) {
                push(step, content, file, node, permits)
                expirer.schedule(file, node, time: content.time)
                return file.announce(content)
            }
            tell(size, true)
        }
    }

    /// Gives the content of a file for a READ.
    ///
    /// - Parameters:
    ///   - make: makes the content of this moment.
    ///   - answer: answers the request with a part of a content, or (nil) with EINVAL, on which
    ///     a reader who has not asked for the size falls back to read(2).
    ///   - later: as for ``size(of:in:make:tell:later:)``.
    /// - Throws: what `make` throws; then `answer` has not been called.
    package func content(
        of node: NodeID, in files: CachedFiles, offset: Int, size: Int,
        make: () throws(SystemError) -> Snapshot, answer: (Bytes?) -> Void,
        later: (_ again: Bool) -> Bool = { _ in false }
    ) throws(SystemError) {
        let file = file(node, files)
        let started = now()
        func reply(_ content: Snapshot) {
            withExtendedLifetime(content) {
                let part = content.part(offset: offset, size: size)
                answer(part)
                if part.count < size, offset <= content.count {
                    file.hasShownEnd(of: content.count)
                }
            }
        }
        if let former = former.content(of: node, now: started) {
            _ = showAgain(former, file, node, now: started)
            reply(former)
            return
        }
        var made: Snapshot?
        var hasWaited = false
        defer { if hasWaited { kernel.hasWaited() } }
        func pause() {
            if !hasWaited { kernel.willWait() }
            hasWaited = true
            usleep(50)
        }
        while true {
            switch file.contentForRead(
                made, now: now(), window: window, offset: offset, size: size)
            {
            case .nothing:
                made = try make()
                continue
            case .wait:
                if later(true) { return }
                pause()
                continue
            case .waitFor(let thread):
                // This READ may be what it waits for.
                pause()
                if kernel.waitsForPage(thread) { file.hasTold(thread) }
                continue
            case .waitForAnswer(let since):
                let time = Self.restTime(Self.timeToCopy, cpuWait() / 2)
                if clampedDifference(now(), since) < time {
                    pause()
                } else {
                    file.hasTaken(guessAt: since)
                }
                continue
            case .content(let content):
                if made != nil {
                    told.told(content, node)
                    expirer.schedule(file, node, time: content.time)
                }
                reply(content)
            case .former(let count):
                // read(2) has asked for the size, and gets what it was told of then.
                if let former = count.flatMap({ told.latest(node, count: $0, now: now()) }) {
                    reply(former)
                } else {
                    answer(nil)
                }
                // A reader who never asks for the size would see that for ever.
                expirer.scheduleAlways(file, node, time: started)
            }
            guard let made else { return }
            let permits = files.permits(of: permits)
            guard let step = file.outgrow(made, permits) else { return }
            if step.action == .grow {
                grow(file, node, made, permits)
            } else {
                _ = shrink(file, node, made, permits)
            }
            return
        }
    }

    // MARK: - Giving content to the kernel

    private func file(_ node: NodeID, _ files: CachedFiles) -> CachedFile {
        files.file(node, generation: firstGeneration)
    }

    /// Content of an earlier worker is shown once more.
    private func showAgain(
        _ content: Snapshot, _ file: CachedFile, _ node: NodeID, now: UInt64
    ) -> FileSize {
        let (size, scheduled) = file.repeated(content, now: now, window: window)
        if let scheduled { expirer.schedule(file, node, time: scheduled) }
        return size
    }

    /// Does what is left to do with content of the size that the kernel knows, or of a file of which
    /// it knows none.
    private func push(
        _ step: CachedFile.Step, _ content: Snapshot, _ file: CachedFile, _ node: NodeID,
        _ permits: PushPermits
    ) {
        if step.action == .none { return }
        let isDropped = step.dropsFirst ? expirer.drop(node, file) : true
        file.stored(content, success: isDropped && kernel.store(content, in: node))
        permits.give()
    }

    /// Gives content to the kernel that is longer than it knows.
    private func grow(
        _ file: CachedFile, _ node: NodeID, _ content: Snapshot, _ permits: PushPermits
    ) {
        defer {
            permits.endResizing()
            permits.give()
            kernel.sizeHasChanged()
        }
        let isDropped = clear(file, node)
        if file.wasShown(now: now(), window: window) {
            rest(Self.timeToFinish, cpuWait() * 2)
            if isEnding.load(ordering: .relaxed) {
                // A reader who asks now is answered by the next worker.
                file.abandonResizing()
                return
            }
        }
        // Until now the next worker would have to show the former content.
        told.telling(content, node) {
            file.beginGrowing(content, by: gettid(), now: now())
            kernel.sizeHasChanged()
            file.stored(content, success: isDropped && kernel.store(content, in: node))
            expirer.schedule(file, node, time: content.time)
        }
    }

    /// Clears the way for a READ that brings content which is shorter than the kernel knows.
    ///
    /// - Returns: false if the former one stays, since this worker is about to end.
    private func shrink(
        _ file: CachedFile, _ node: NodeID, _ content: Snapshot, _ permits: PushPermits
    ) -> Bool {
        defer {
            permits.endResizing()
            permits.give()
            kernel.sizeHasChanged()
        }
        var turns = 0
        while true {
            turns += 1
            let isDropped = clear(file, node)
            if file.wasShown(now: now(), window: window) {
                rest(Self.timeToCopy, cpuWait() / 2)
            }
            if isEnding.load(ordering: .relaxed) {
                file.abandonResizing()
                return false
            }
            // Before a READ is answered: the next worker would show the former content to those
            // who have seen this one end.
            told.told(content, node)
            if file.shrink(content, now: now(), force: !isDropped || turns >= Self.mostTurns) {
                expirer.schedule(file, node, time: content.time)
                return true
            }
        }
    }

    /// Drops the pages of a file, so that none is left and READ waits.
    ///
    /// - Returns: false if that was not to be had.
    private func clear(_ file: CachedFile, _ node: NodeID) -> Bool {
        for _ in 0..<Self.mostAttempts {
            file.beginDropping()
            // A READ may have one of the pages.
            kernel.sizeHasChanged()
            guard expirer.drop(node, file) else { break }
            if file.settle(force: false) { return true }
            usleep(50)
        }
        _ = file.settle(force: true)
        return false
    }

    /// How often, while names are looked up all the time.
    private static let mostTurns = 10

    /// How often pages are dropped until none comes meanwhile.
    private static let mostAttempts = 100

    /// If somebody has just read it, content rests before its size changes: until a reader who has
    /// got all of it has asked whether that was all, if it gets longer; else until one who is at its
    /// page has copied that. Both may be kept from running in between, the first more often: he is
    /// not in the kernel all the time. In nanoseconds.
    private static let timeToFinish: UInt64 = 10_000_000
    private static let timeToCopy: UInt64 = 2_000_000

    /// GETATTR is answered meanwhile if content gets longer, and else waits. A worker that is to end
    /// has no time for it.
    private func rest(_ least: UInt64, _ wait: UInt64) {
        let end = Clock.monotonic() + Self.restTime(least, wait)
        kernel.willWait()
        defer { kernel.hasWaited() }
        while !isEnding.load(ordering: .relaxed) {
            let left = clampedDifference(end, Clock.monotonic())
            if left == 0 { return }
            usleep(UInt32(min(left / 1000 + 1, 2000)))
        }
    }

    private static func restTime(_ least: UInt64, _ wait: UInt64) -> UInt64 {
        min(max(least, wait), longestRest)
    }

    /// Other readers wait meanwhile, and who makes the machine busy may be another container.
    private static let longestRest: UInt64 = 15_000_000
}
