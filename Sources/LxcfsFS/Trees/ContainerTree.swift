import CFuse3
import Cgroups
import Glibc
import KernelText
import LxcfsHandover
import Synchronization
import Syscalls

/// The connection of the registered containers, read from the kernel's page cache.
///
/// Opening never reaches the daemon. When what the kernel remembers of a file's attributes
/// is older than the window, read(2) asks for them; then the content is made, pushed into the
/// page cache, and only after that its size is told: one request for everything. What reads
/// pages without asking for attributes (sendfile(2), mmap(2)) finds none some time later, see
/// ``Expirer``, and comes as READ. With a window of 0 each open is a snapshot
/// instead.
final class ContainerTree: Tree, @unchecked Sendable {
    /// The session, for pushing content; set once, before the first request.
    private nonisolated(unsafe) var session: OpaquePointer?
    private let window: UInt64
    private let expirer: Expirer
    private let storeSlots: PushPermits
    private let announcements: Announcements
    private let pushes: Pushes
    private let handedOver = HandedOver()
    private let isEnding = Atomic<Bool>(false)

    /// - Parameters:
    ///   - window: how old content may be, in nanoseconds.
    ///   - threads: how many threads answer requests.
    init(
        host: Host, registry: Registry, window: UInt64, expirer: Expirer, threads: Int,
        shared: SharedTreeState
    ) {
        self.window = window
        self.expirer = expirer
        storeSlots = PushPermits(max(threads - 2, 0))
        announcements = shared.announcements
        pushes = shared.pushes
        super.init(host: host, registry: registry, shared: shared)
    }

    /// Takes up the contents that an earlier worker has told the kernel of, so that READs
    /// that belong to them find them, and sees to it that they leave the page cache.
    ///
    /// - Parameter former: the process number of that worker.
    func adoptAnnouncements(former: pid_t) {
        guard window > 0 else { return }
        let told = handedOver.take(announcements, pushes, former: former)
        for entry in told.sorted(by: { $0.snapshot.time < $1.snapshot.time }) {
            guard let container = registry.container(slot: entry.node.slot) else { continue }
            container.adopt(entry.snapshot, entry.node.keyInContainer)
            expirer.schedule(container, entry.node, time: entry.snapshot.time)
        }
    }

    func use(_ session: OpaquePointer) {
        self.session = session
        expirer.session = session
    }

    /// Another worker is about to follow.
    func end() { isEnding.store(true, ordering: .relaxed) }

    private var timeout: Double { Double(window) / 1e9 }

    override func topChildren(slot: UInt32) -> [Child] {
        if slot != 0 { return [child(.proc, slot), child(.sys, slot)] }
        return Self.mountPoints + registry.ids.compactMap(containerChild)
    }

    override func rootChild(_ name: String) -> Child? {
        Self.mountPoints.first { $0.name == name } ?? containerChild(name)
    }

    /// Where the parts of the other connection are mounted.
    private static let mountPoints = ["proc", "sys", TreeNames.opens].enumerated().map {
        Child(
            name: $1, node: NodeID(slot: 0, cpu: $0, file: FixedNode.mountPoint.rawValue),
            kind: .directory)
    }

    override func kind(of node: NodeID) -> Kind? {
        if node.file == FixedNode.pressureDirectory.rawValue {
            guard let container = registry.container(slot: node.slot) else { return nil }
            return .link(target: "../../\(TreeNames.opens)/\(container.id)/proc/pressure")
        }
        return super.kind(of: node)
    }

    override func procChildren(slot: UInt32) -> [Child] {
        super.procChildren(slot: slot) + [child(.pressureDirectory, slot)]
    }

    override func entryTimeout(_ child: Child) -> Double {
        switch FixedNode(rawValue: child.node.file) {
        case .top: 0
        case .singleCPU: timeout
        default: Self.forever
        }
    }

    /// The size must be the one that the kernel has: a smaller one would cut off whoever
    /// reads just now, and a file without size is never read by sendfile(2). Content is not
    /// made for a name: a runtime that mounts all files would wait for all of it.
    override func attributesForLookup(
        _ child: Child, _ workspace: Workspace
    ) throws(SystemError) -> stat {
        var attributes = try super.attributesForLookup(child, workspace)
        guard case .file = child.kind, window > 0,
            let container = registry.container(slot: child.node.slot)
        else { return attributes }
        attributes.set(container.sizeForLookup(child.node.keyInContainer))
        return attributes
    }

    override func getattr(_ request: fuse_req_t, _ node: NodeID) {
        guard case .file? = kind(of: node), window > 0 else {
            super.getattr(request, node)
            return
        }
        counters.count(.getattr)
        do {
            let workspace = Workspace.current
            let container = try container(of: node, caller: 0, workspace)
            var attributes = baseAttributes(node, .file(mode: mode(of: node)))
            let now = host.now()
            if let former = handedOver.content(of: node, now: now) {
                attributes.set(repeated(former, container, node, now: now))
                fuse_reply_attr(request, &attributes, 0)
                return
            }
            let size = try refresh(container, node, workspace)
            attributes.set(size.known)
            fuse_reply_attr(request, &attributes, size.growing == nil ? timeout : 0)
            if let content = size.growing { grow(container, node, content) }
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    /// Content of an earlier worker is shown once more.
    private func repeated(
        _ former: Snapshot, _ container: Container, _ node: NodeID, now: UInt64
    ) -> FileSize {
        let (size, scheduled) = container.repeated(
            node.keyInContainer, former, now: now, window: window)
        if let scheduled { expirer.schedule(container, node, time: scheduled) }
        return size
    }

    private func mode(of node: NodeID) -> mode_t {
        node.file == FixedNode.slabinfo.rawValue ? 0o400 : 0o444
    }

    private struct RefreshedSize {
        /// What the kernel is to be told.
        let known: FileSize
        /// Longer content, to be given to the kernel when it has been told that.
        var growing: Snapshot?
    }

    /// Sees to it that what the kernel reads next is no older than the window.
    private func refresh(
        _ container: Container, _ node: NodeID, _ workspace: Workspace
    ) throws(SystemError) -> RefreshedSize {
        let key = node.keyInContainer
        if let current = container.freshSize(key, now: host.now(), window: window) {
            return RefreshedSize(known: current)
        }
        let made = try container.snapshot(of: node, host, workspace)
        let step = container.install(made, key, storeSlots)
        // What another thread has made is told of by that.
        guard let content = step.content, content.time == made.time else {
            return RefreshedSize(known: container.announce(key, step.content ?? made))
        }
        if step.action == .grow {
            if container.wasShown(key, now: host.now(), window: window) {
                // This question too may be that of somebody who has read it to its end.
                let known = container.announce(key, content)
                return RefreshedSize(known: known, growing: content)
            }
            grow(container, node, content)
            return RefreshedSize(known: container.announce(key, content))
        }
        let mark = pushes.begin(node)
        defer { pushes.end(mark) }
        announcements.add(content, node)
        if step.action != .none {
            var success = step.dropsFirst ? expirer.drop(node, of: container) : true
            if step.action == .store {
                success = success && store(content, node)
                container.stored(key, content, success: success)
            } else {
                container.resized(key, content, success: success)
            }
            storeSlots.give()
        }
        expirer.schedule(container, node, time: content.time)
        return RefreshedSize(known: container.announce(key, content))
    }

    /// Gives content to the kernel that is longer than it knows.
    private func grow(_ container: Container, _ node: NodeID, _ content: Snapshot) {
        defer {
            storeSlots.endGrowing()
            storeSlots.give()
        }
        let key = node.keyInContainer
        let isDropped = expirer.drop(node, of: container)
        if container.settles(key, now: host.now(), window: window) {
            usleep(Self.pause)
            if isEnding.load(ordering: .relaxed) {
                // Whoever asks now is answered by the next worker.
                container.abandonGrowing(key)
                return
            }
        }
        // Until now the next worker would have to show the former content.
        let mark = pushes.begin(node)
        defer { pushes.end(mark) }
        announcements.add(content, node)
        container.beginGrowing(key, content, now: host.now())
        container.stored(key, content, success: isDropped && store(content, node))
        expirer.schedule(container, node, time: content.time)
    }

    /// Microseconds that content rests before it gets longer, which happens a few times in the
    /// life of a container.
    private static let pause: UInt32 = 5000

    /// Pushes content into the page cache. Waits while a reader waits for the page.
    private func store(_ snapshot: Snapshot, _ node: NodeID) -> Bool {
        var vector = fuse_bufvec()
        vector.count = 1
        vector.buf.size = snapshot.count
        vector.buf.mem = UnsafeMutableRawPointer(mutating: snapshot.bytes.baseAddress)
        counters.count(.store)
        let result = withExtendedLifetime(snapshot) {
            fuse_lowlevel_notify_store(session, node.raw, 0, &vector, FUSE_BUF_NO_SPLICE)
        }
        // ENOENT: the kernel does not remember the file.
        return result == 0 || result == -ENOENT
    }

    override func open(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        if window > 0 {
            counters.count(.open)
            // From now on the kernel opens without asking.
            fuse_reply_err(request, ENOSYS)
        } else {
            openSnapshot(request, node, file)
        }
    }

    override func read(
        _ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int,
        _ file: UnsafeMutablePointer<fuse_file_info>?
    ) {
        if window == 0, let file {
            readSnapshot(request, node, size: size, offset: offset, file)
            return
        }
        counters.count(.read)
        do {
            let workspace = Workspace.current
            let container = try container(of: node, caller: 0, workspace)
            let key = node.keyInContainer
            let now = host.now()
            if let former = handedOver.content(of: node, now: now) {
                _ = repeated(former, container, node, now: now)
                reply(request, former, size: size, offset: offset)
                return
            }
            var made: Snapshot?
            while true {
                let answer = container.contentForRead(
                    key, made, now: host.now(), window: window, offset: offset, size: size)
                switch answer {
                case .nothing:
                    made = try container.snapshot(of: node, host, workspace)
                    continue
                case .wait:
                    usleep(50)
                    continue
                case .content(let content):
                    if made != nil {
                        announcements.add(content, node)
                        expirer.schedule(container, node, time: content.time)
                    }
                    reply(request, content, size: size, offset: offset)
                case .former(let count):
                    // read(2) has asked for attributes, and gets what it was told of then. Who
                    // has not, and gets an error, falls back to read(2).
                    let former = count.flatMap {
                        announcements.latest(
                            node, count: $0, now: host.now(), maxAge: Announcements.moment)
                    }
                    if let former {
                        reply(request, former, size: size, offset: offset)
                    } else {
                        fuse_reply_err(request, EINVAL)
                    }
                    // Who never asks for attributes would see that for ever.
                    expirer.scheduleAlways(container, node, time: now)
                }
                if let made, let longer = container.outgrow(made, key, storeSlots) {
                    grow(container, node, longer)
                }
                return
            }
        } catch {
            fuse_reply_err(request, error.errno)
        }
    }

    override func release(
        _ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>
    ) {
        if window == 0 {
            releaseSnapshot(request, file)
        } else {
            fuse_reply_err(request, 0)
        }
    }

    private func containerChild(_ id: String) -> Child? {
        registry.container(id: id).map {
            Child(
                name: id, node: NodeID(slot: $0.slot, file: FixedNode.top.rawValue),
                kind: .directory)
        }
    }
}

extension stat {
    fileprivate mutating func set(_ size: FileSize) {
        st_size = off_t(size.bytes)
        st_mtim.tv_nsec = size.generation
    }
}
