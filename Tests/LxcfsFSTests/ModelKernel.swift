import Glibc
import KernelText
import LxcfsHandover
import Syscalls

@testable import LxcfsPageCache

/// A kernel's side of a FUSE file of one page, as far as sizes and pages go: what fs/fuse/inode.c
/// (`fuse_change_attributes`, `fuse_reverse_inval_inode`), dev.c (`fuse_notify_store`) and file.c
/// (`fuse_short_read`) do, in the same order, with readers that may be kept from running in between.
final class ModelKernel: KernelPages, @unchecked Sendable {
    /// One thread takes it, and maybe another one gives it back, which a mutex must not be used for.
    private struct PageLock: Sendable {
        private let free = Permits(1)

        func lock() { while !free.take(within: 1_000_000_000) {} }
        func unlock() { free.give() }
    }

    /// A page, which is locked while it is filled or taken away.
    private final class Page: @unchecked Sendable {
        let lock = PageLock()
        var bytes: [UInt8] = []
        var isUpToDate = false
        var isGone = false
    }

    private let lock = Lock()
    private var size = 0
    private var modified = 0
    private var version: UInt64 = 1
    private var fileVersion: UInt64 = 0
    private var validUntil: UInt64 = 0
    private var page: Page?
    /// The threads that push and may wait for a page.
    private var storing = Set<pid_t>()
    private let window: UInt64
    private let threads: DaemonThreads
    /// Keeps whoever calls it from running.
    private let pause: @Sendable (_ mostMicroseconds: UInt32) -> Void

    init(
        window: UInt64, threads: Int, pause: @escaping @Sendable (UInt32) -> Void
    ) throws(SystemError) {
        self.window = window
        self.threads = try DaemonThreads(threads)
        self.pause = pause
    }

    func end() { threads.end() }

    /// The threads of the daemon, which take one request after the other. A reader goes on when it
    /// has been answered, and the thread when it likes.
    private final class DaemonThreads: @unchecked Sendable {
        private let lock = Lock()
        private let ready = Permits(0)
        private var requests: [@Sendable () -> Void] = []
        private let count: Int

        init(_ count: Int) throws(SystemError) {
            self.count = count
            for _ in 0..<count {
                try startThread("daemon") { [self] in
                    while true {
                        guard ready.take(within: 1_000_000_000) else { continue }
                        guard
                            let next = lock.withLock({
                                requests.isEmpty ? nil : requests.removeFirst()
                            })
                        else { return }
                        next()
                    }
                }
            }
        }

        func end() { for _ in 0..<count { ready.give() } }

        /// Has `request` executed, and waits for an answer.
        ///
        /// - Parameter clock: notes how long the request has waited for a thread.
        func ask<Answer: Sendable>(
            _ clock: ReaderClock,
            _ request:
                @escaping @Sendable (_ reply: @escaping @Sendable (Answer) -> Void) -> Void
        ) -> Answer {
            let answer = Guarded<(Answer, UInt64)?>(nil)
            let isThere = Permits(0)
            clock.check()
            lock.withLock {
                requests.append {
                    clock.check()
                    request { given in
                        answer.withLock { $0 = (given, Clock.monotonic()) }
                        isThere.give()
                    }
                }
            }
            ready.give()
            while true {
                if isThere.take(within: 1_000_000_000), let given = answer.withLock({ $0 }) {
                    clock.goOn(from: given.1)
                    return given.0
                }
            }
        }
    }

    /// Notices when a reader, or its request, is kept from running for longer than the page cache
    /// expects: on a machine that does something else.
    final class ReaderClock: @unchecked Sendable {
        private let state = Guarded(
            (last: Clock.monotonic(), isLate: false, copied: UInt64.max))

        var isLate: Bool {
            check()
            return state.withLock { $0.isLate }
        }

        func check() {
            let now = Clock.monotonic()
            state.withLock { state in
                if clampedDifference(now, state.last) > 5_000_000 { state.isLate = true }
                state.last = now
            }
        }

        func copied(at time: UInt64) { state.withLock { $0.copied = time } }

        /// The reader has been told that what he has copied was all.
        func end() {
            let now = Clock.monotonic()
            state.withLock { state in
                if clampedDifference(now, state.copied) > 8_000_000 { state.isLate = true }
            }
        }

        func goOn(from time: UInt64) { state.withLock { $0.last = time } }
    }

    // MARK: - What the daemon asks for

    func store(_ content: Snapshot, in node: NodeID) -> Bool {
        let bytes = withExtendedLifetime(content) { Array(content.bytes) }
        pause(1000)
        let fileSize: Int = lock.withLock {
            if bytes.count > size {
                size = bytes.count
                version += 1
                fileVersion = version
                return bytes.count
            }
            return size
        }
        pause(1000)
        let thread = gettid()
        _ = lock.withLock { storing.insert(thread) }
        defer { lock.withLock { _ = storing.remove(thread) } }
        let page = pageForFilling()
        page.bytes.replaceSubrange(0..<min(bytes.count, page.bytes.count), with: bytes)
        if !page.isUpToDate, fileSize == bytes.count { page.isUpToDate = true }
        if !page.isUpToDate { remove(page) }
        page.lock.unlock()
        return true
    }

    func waitsForPage(_ thread: pid_t) -> Bool { lock.withLock { storing.contains(thread) } }

    func drop(_ node: NodeID) -> Bool {
        pause(1000)
        lock.withLock {
            version += 1
            fileVersion = version
            validUntil = 0
        }
        pause(50)
        dropPage()
        pause(1000)
        return true
    }

    private func dropPage() {
        guard let page = lock.withLock({ page }) else { return }
        page.lock.lock()
        remove(page)
        page.lock.unlock()
    }

    /// - Parameter page: locked.
    private func remove(_ page: Page) {
        page.isGone = true
        lock.withLock { if self.page === page { self.page = nil } }
    }

    /// The page of the file, or a new one; locked.
    private func pageForFilling() -> Page {
        while true {
            let page: Page = lock.withLock {
                if let page = self.page { return page }
                let made = Page()
                self.page = made
                return made
            }
            page.lock.lock()
            if !page.isGone { return page }
            page.lock.unlock()
        }
    }

    // MARK: - What readers ask for

    typealias Daemon = (cache: PageCache, node: NodeID, files: CachedFiles)

    typealias Make = @Sendable () -> Snapshot

    /// LOOKUP.
    ///
    /// - Returns: false if an answer without content was taken note of later than the page cache
    ///   expects.
    @discardableResult func lookUp(_ daemon: Daemon) -> Bool {
        let asked = lock.withLock { version }
        let clock = ReaderClock()
        let told: FileSize = threads.ask(clock) { reply in
            reply(daemon.cache.sizeForLookup(of: daemon.node, in: daemon.files))
        }
        pause(500)
        take(told, lasts: false, asked: asked)
        return told.bytes < Self.oneRead || !clock.isLate
    }

    /// read(2), until there is no more.
    ///
    /// - Returns: nil if it has failed.
    func read(_ daemon: Daemon, _ clock: ReaderClock, make: @escaping Make) -> [UInt8]? {
        var whole: [UInt8] = []
        while true {
            if Clock.monotonic() >= lock.withLock({ validUntil }) {
                updateAttributes(daemon, clock, make)
            }
            guard let part = part(daemon, clock, at: whole.count, make) else { return nil }
            // From getting all to being told that it was all.
            if !whole.isEmpty { clock.end() }
            if part.isEmpty { return whole }
            whole += part
            pause(100)
        }
    }

    /// sendfile(2), which asks for no attributes; nil if it must not be used.
    func send(_ daemon: Daemon, _ clock: ReaderClock, make: @escaping Make) -> [UInt8]? {
        part(daemon, clock, at: 0, make)
    }

    private func updateAttributes(
        _ daemon: Daemon, _ clock: ReaderClock, _ make: @escaping Make
    ) {
        let asked = lock.withLock { version }
        let told: (size: FileSize, lasts: Bool) = threads.ask(clock) { reply in
            do {
                try daemon.cache.size(of: daemon.node, in: daemon.files) {
                    make()
                } tell: { size, lasts in
                    reply((size, lasts))
                }
            } catch {
                fatalError("\(error)")
            }
        }
        pause(500)
        take(told.size, lasts: told.lasts, asked: asked)
    }

    /// What the process that has asked does with an answer.
    private func take(_ told: FileSize, lasts: Bool, asked: UInt64) {
        let isNew: Bool = lock.withLock {
            if fileVersion > asked { return false }
            version += 1
            fileVersion = version
            validUntil = lasts ? Clock.monotonic() + window : 0
            let isNew = size != told.bytes || modified != told.generation
            size = told.bytes
            modified = told.generation
            return isNew
        }
        if isNew { dropPage() }
    }

    private static let oneRead = 16384

    /// What filemap_read() gives from `position` on; nil if READ has failed.
    private func part(
        _ daemon: Daemon, _ clock: ReaderClock, at position: Int, _ make: @escaping Make
    ) -> [UInt8]? {
        while true {
            if position >= lock.withLock({ size }) { return [] }
            let page = pageForFilling()
            guard page.isUpToDate else {
                if fill(page, daemon, clock, make) { continue }
                return nil
            }
            // No reader is kept from running here: that is what the pauses of the page cache are
            // for, and how long it would be is not known.
            let bytes = page.bytes
            let end = lock.withLock { size }
            let time = Clock.monotonic()
            page.lock.unlock()
            if position >= end { return [] }
            clock.copied(at: time)
            return (position..<end).map { $0 < bytes.count ? bytes[$0] : 0 }
        }
    }

    /// READ. As it is with reading ahead, the thread that answers fills the page and unlocks it.
    private func fill(
        _ page: Page, _ daemon: Daemon, _ clock: ReaderClock, _ make: @escaping Make
    ) -> Bool {
        let asked = lock.withLock { version }
        return threads.ask(clock) { reply in
            do {
                try daemon.cache.content(
                    of: daemon.node, in: daemon.files, offset: 0, size: Self.oneRead
                ) {
                    make()
                } answer: { part in
                    self.take(part, for: page, asked: asked)
                    reply(part != nil)
                }
            } catch {
                fatalError("\(error)")
            }
        }
    }

    private func take(_ answer: Bytes?, for page: Page, asked: UInt64) {
        if let answer {
            page.bytes = Array(answer)
            lock.withLock {
                if asked >= fileVersion, answer.count < size {
                    version += 1
                    fileVersion = version
                    size = answer.count
                }
            }
            page.isUpToDate = true
        } else {
            remove(page)
        }
        page.lock.unlock()
    }
}
