import Synchronization

/// How many FUSE requests of each kind have been answered.
final class RequestCounters: Sendable {
    enum Kind: String, CaseIterable {
        case lookup, getattr, readlink, open, read, write, poll, release, readdir, store
        /// Refused, or answered with what was there: the container has too many that wait.
        case hasty
    }

    private let lookup = Atomic<UInt64>(0)
    private let getattr = Atomic<UInt64>(0)
    private let readlink = Atomic<UInt64>(0)
    private let open = Atomic<UInt64>(0)
    private let read = Atomic<UInt64>(0)
    private let write = Atomic<UInt64>(0)
    private let poll = Atomic<UInt64>(0)
    private let release = Atomic<UInt64>(0)
    private let readdir = Atomic<UInt64>(0)
    private let store = Atomic<UInt64>(0)
    private let hasty = Atomic<UInt64>(0)

    @inline(__always)
    func count(_ kind: Kind) {
        switch kind {
        case .lookup: lookup.add(1, ordering: .relaxed)
        case .getattr: getattr.add(1, ordering: .relaxed)
        case .readlink: readlink.add(1, ordering: .relaxed)
        case .open: open.add(1, ordering: .relaxed)
        case .read: read.add(1, ordering: .relaxed)
        case .write: write.add(1, ordering: .relaxed)
        case .poll: poll.add(1, ordering: .relaxed)
        case .release: release.add(1, ordering: .relaxed)
        case .readdir: readdir.add(1, ordering: .relaxed)
        case .store: store.add(1, ordering: .relaxed)
        case .hasty: hasty.add(1, ordering: .relaxed)
        }
    }

    var values: [String: UInt64] {
        [
            Kind.lookup.rawValue: lookup.load(ordering: .relaxed),
            Kind.getattr.rawValue: getattr.load(ordering: .relaxed),
            Kind.readlink.rawValue: readlink.load(ordering: .relaxed),
            Kind.open.rawValue: open.load(ordering: .relaxed),
            Kind.read.rawValue: read.load(ordering: .relaxed),
            Kind.write.rawValue: write.load(ordering: .relaxed),
            Kind.poll.rawValue: poll.load(ordering: .relaxed),
            Kind.release.rawValue: release.load(ordering: .relaxed),
            Kind.readdir.rawValue: readdir.load(ordering: .relaxed),
            Kind.store.rawValue: store.load(ordering: .relaxed),
            Kind.hasty.rawValue: hasty.load(ordering: .relaxed),
        ]
    }
}
