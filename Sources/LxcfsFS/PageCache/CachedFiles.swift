import Cgroups
import Glibc
import KernelText
import LxcfsHandover
import Syscalls

extension Container {
    /// Size of content that is not older than the window.
    func freshSize(_ key: UInt64, now: UInt64, window: UInt64) -> FileSize? {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot,
                clampedDifference(now, snapshot.time) < window
            else { return nil }
            return file.size
        }
    }

    /// What a READ of `size` bytes at `offset` is answered with.
    ///
    /// - Parameter made: content of now, if what there was has proved to be older than the window.
    func contentForRead(
        _ key: UInt64, _ made: Snapshot?, now: UInt64, window: UInt64, offset: Int, size: Int
    ) -> ReadAnswer {
        filesLock.withLock {
            guard let file = made == nil ? files[key] : file(key) else { return .nothing }
            var isCurrent = true
            switch file.change {
            case .none:
                isCurrent =
                    file.snapshot.map { clampedDifference(now, $0.time) < window } ?? false
                if !isCurrent, made == nil { return .nothing }
            case .settling: return .wait
            case .growing(let since):
                if clampedDifference(now, since) < Self.timeToTell { return .wait }
            // What is being pushed comes onto whatever READ has brought meanwhile, so that must be
            // the same.
            case .pushing, .dropping: break
            }
            file.readAt = now
            if isCurrent {
                guard let snapshot = file.snapshot else { return file.former(now: now) }
                file.held.add(snapshot.count)
                return .content(snapshot)
            }
            guard let content = made.map({ file.padded($0, key) }) else { return .nothing }
            // The kernel would cut what is longer than it knows. Of what is shorter it sees where
            // the end is by getting less than it asked for.
            guard let announced = file.announced, content.count <= announced,
                content.count == announced || announced == Self.oneRead
                    || offset == 0 && size > content.count
            else { return file.former(now: now) }
            file.announced = content.count
            file.snapshot = content
            file.held.add(content.count)
            return .content(content)
        }
    }

    /// How long the kernel needs to take note of a size that is pushed, in nanoseconds.
    private static let timeToTell: UInt64 = 200_000

    /// Makes `made` the content of a file and decides how the kernel gets it.
    func install(_ made: Snapshot, _ key: UInt64, _ slots: PushPermits) -> CacheStep {
        // Asked for first: taking one may wait.
        let hasSlot = slots.take()
        let step: CacheStep = filesLock.withLock {
            let file = file(key)
            // What another thread is pushing is as good, and so is what it has rendered later
            // and finished earlier.
            guard file.change.isNone else { return CacheStep(file.snapshot) }
            if let former = file.snapshot, former.time > made.time { return CacheStep(former) }
            let snapshot = file.padded(made, key)
            let hasSize = file.announced == snapshot.count
            if hasSize, file.isHeld(snapshot) {
                file.snapshot = snapshot
                file.pushedAt = snapshot.time
                return CacheStep(snapshot)
            }
            let grows = file.announced.map { $0 < snapshot.count } ?? false
            let mayGrow = grows && hasSlot && slots.beginGrowing()
            if grows, !mayGrow, let former = file.snapshot {
                let since = file.waitsSince ?? made.time
                file.waitsSince = since
                if clampedDifference(made.time, since) < Self.longestWait {
                    file.readAt = made.time
                    return CacheStep(former)
                }
            }
            file.waitsSince = nil
            guard hasSlot else {
                file.announced = snapshot.count
                file.snapshot = snapshot
                file.dropPages()
                return CacheStep(snapshot)
            }
            let longest = file.held.longest
            let drops = longest > (hasSize ? snapshot.count : 0)
            if drops { file.held.beginDropping(isChanging: false) }
            file.held.add(snapshot.count)
            if mayGrow {
                file.change = .dropping
                return CacheStep(snapshot, .grow, dropsFirst: drops)
            }
            file.snapshot = snapshot
            file.change = .pushing
            return CacheStep(snapshot, hasSize ? .store : .resize, dropsFirst: drops)
        }
        if hasSlot, step.action == .none { slots.give() }
        return step
    }

    /// After a READ that `made` was too long for: whoever asks for no attributes would never see
    /// it, because only an answer to that question makes content longer otherwise.
    ///
    /// - Returns: what is to be done as for ``CacheStep/Action/grow``; nil for nothing.
    func outgrow(_ made: Snapshot, _ key: UInt64, _ slots: PushPermits) -> Snapshot? {
        guard slots.take() else { return nil }
        let longer: Snapshot? = filesLock.withLock {
            let file = file(key)
            let snapshot = file.padded(made, key)
            guard file.change.isNone, let announced = file.announced,
                announced < snapshot.count, (file.snapshot?.time ?? 0) <= made.time,
                slots.beginGrowing()
            else { return nil }
            file.waitsSince = nil
            file.held.beginDropping(isChanging: false)
            file.held.add(snapshot.count)
            file.change = .dropping
            return snapshot
        }
        if longer == nil { slots.give() }
        return longer
    }

    /// How long content waits until that of others has become longer, in nanoseconds.
    private static let longestWait: UInt64 = 100_000_000

    /// Pages of former content have been dropped, and longer content is to be pushed.
    ///
    /// - Returns: see ``wasShown(_:now:window:)``.
    func settles(_ key: UInt64, now: UInt64, window: UInt64) -> Bool {
        filesLock.withLock {
            let file = file(key)
            file.change = .settling
            return file.wasShown(now: now, window: window)
        }
    }

    /// Whether somebody may have got the content just now, and not yet have asked for more.
    func wasShown(_ key: UInt64, now: UInt64, window: UInt64) -> Bool {
        filesLock.withLock { file(key).wasShown(now: now, window: window) }
    }

    /// The former content stays.
    func abandonGrowing(_ key: UInt64) { filesLock.withLock { file(key).change = .none } }

    func beginGrowing(_ key: UInt64, _ snapshot: Snapshot, now: UInt64) {
        filesLock.withLock {
            let file = file(key)
            file.snapshot = snapshot
            file.change = .growing(since: now)
            // An answer that repeats the former size may be to a question from after the push.
            file.announced = snapshot.count
        }
    }

    func stored(_ key: UInt64, _ snapshot: Snapshot, success: Bool) {
        filesLock.withLock {
            let file = file(key)
            file.change = .none
            file.announced = snapshot.count
            file.pushedAt = success ? snapshot.time : nil
            if !success { file.dropPages() }
        }
    }

    /// - Parameter success: pages of former content have been dropped.
    func resized(_ key: UInt64, _ snapshot: Snapshot, success: Bool) {
        filesLock.withLock {
            let file = file(key)
            file.change = .none
            file.announced = snapshot.count
            if !success { file.dropPages() }
        }
    }

    /// The size to tell the kernel after ``install(_:_:_:)``.
    func announce(_ key: UInt64, _ snapshot: Snapshot) -> FileSize {
        filesLock.withLock {
            let file = file(key)
            return file.size ?? FileSize(bytes: snapshot.count, generation: file.generation)
        }
    }

    /// What the kernel was told last; of a file that it does not know, as much as one READ
    /// may bring, so that a first sendfile(2) gets content of any smaller size.
    func sizeForLookup(_ key: UInt64) -> FileSize {
        filesLock.withLock {
            let file = file(key)
            let bytes = file.announced ?? Self.oneRead
            file.announced = bytes
            return FileSize(bytes: bytes, generation: file.generation)
        }
    }

    /// The kernel reads ahead at least so many bytes in one request.
    static let oneRead = 16384

    /// Makes what an earlier worker has told the kernel of the content of a file.
    func adopt(_ snapshot: Snapshot, _ key: UInt64) {
        filesLock.withLock {
            let file = file(key)
            file.snapshot = snapshot
            file.announced = snapshot.count
        }
    }

    /// Content of an earlier worker is shown once more.
    ///
    /// - Returns: what the kernel is told, and the time of content that is to be scheduled with
    ///   ``Expirer/schedule(_:_:time:)``.
    func repeated(
        _ key: UInt64, _ former: Snapshot, now: UInt64, window: UInt64
    ) -> (size: FileSize, scheduled: UInt64?) {
        filesLock.withLock {
            let file = file(key)
            file.readAt = now
            file.held.add(former.count)
            let size =
                file.size ?? FileSize(bytes: former.count, generation: file.generation)
            guard file.snapshot == nil else { return (size, nil) }
            // Too old for whoever asks when this moment is over.
            let again = Snapshot(former.bytes, time: clampedDifference(now, window))
            file.snapshot = again
            return (size, again.time)
        }
    }

    /// Ends the life of the content of `time`. The kernel is then to drop what it has, and
    /// ``dropped(_:)`` to be called.
    ///
    /// - Returns: false if there is newer content.
    func expire(_ key: UInt64, time: UInt64) -> Bool {
        filesLock.withLock {
            guard let file = files[key], let snapshot = file.snapshot, snapshot.time == time
            else { return false }
            // Those who ask while longer content waits are shown it.
            if file.waitsSince == nil { file.snapshot = nil }
            file.held.beginDropping(isChanging: !file.change.isNone)
            return true
        }
    }

    func dropped(_ key: UInt64) {
        filesLock.withLock { files[key]?.held.finishDropping() }
    }

    private func file(_ key: UInt64) -> CachedFile {
        if let known = files[key] { return known }
        let made = CachedFile()
        files[key] = made
        return made
    }
}
