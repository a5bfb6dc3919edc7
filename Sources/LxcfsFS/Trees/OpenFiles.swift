import CLinux
import Glibc
import LxcfsPageCache
import Synchronization
import Syscalls

/// The files that are open as snapshots, by handle, and what each payer has open.
final class OpenFiles: Sendable {
    /// What the next worker finds of them.
    let table: OpenFileTable
    /// Contents that were made last.
    let recent = RecentContents()

    private struct Known {
        let file: OpenFile
        var payer: Payer
        var holding: OpenBudget.Holding
    }

    private struct State {
        /// Files that are in the table, as far as this worker has had to do with them.
        var known: [UInt64: Known] = [:]
        /// Files for which there is no room in the table.
        var local: [UInt64: Known] = [:]
        var nextLocal: UInt64 = 1 << 63
        var budget: OpenBudget
    }
    private let state: Guarded<State>

    /// Readable when there may be memory to be given back.
    private let wakeUp: FileDescriptor
    private let isWoken = Atomic<Bool>(false)
    /// Bytes of contents that have been thrown away since the last look.
    private let thrownAway = Atomic<Int>(0)

    /// OPENs and READs that were refused because a payer had too much open.
    let refusals = Atomic<UInt64>(0)

    /// - Parameter limits: nil for those that go with the descriptors of this process.
    init(_ table: OpenFileTable, limits: OpenBudget.Limits? = nil) throws(SystemError) {
        self.table = table
        state = Guarded(
            State(
                budget: OpenBudget(
                    limits ?? OpenBudget.Limits(descriptors: descriptorLimit()))))
        wakeUp = try EventDescriptor.make()
    }

    /// Takes up what an earlier worker has left, which must not be at work any more.
    ///
    /// - Parameter worker: differs between workers.
    func restore(worker: UInt64) {
        state.withLock { state in
            state.nextLocal = 1 << 63 | worker << 40
            table.restore { state.budget.note($1, for: $0) }
        }
        wake()
    }

    /// How many files are open.
    var count: Int { table.count + state.withLock { $0.local.count } }

    func holding(of payer: Payer) -> OpenBudget.Holding {
        state.withLock { $0.budget.holding(of: payer) }
    }

    /// What all payers have open.
    var all: OpenBudget.Holding { state.withLock { $0.budget.all } }

    // MARK: - Opening and closing

    /// What somebody is about to open. Given back unless it becomes a file.
    struct Reservation {
        let payer: Payer
        let holding: OpenBudget.Holding
    }

    /// Asks for one more open file, before its content is made.
    ///
    /// - Parameters:
    ///   - hasTrigger: a pressure file, for writing.
    ///   - opener: the number of the OPEN and its connection, see ``Suspects``.
    /// - Throws: `EMFILE` if the payer has too many.
    func reserve(
        for payer: Payer, hasTrigger: Bool, opener: UInt64
    ) throws(SystemError) -> Reservation {
        let wanted = OpenBudget.Holding(files: 1, triggers: hasTrigger ? 1 : 0)
        // What a former worker has opened already must not be refused: the kernel may have its
        // handle.
        let isKnown = table.expects(opener)
        let isGranted = state.withLock { state in
            if isKnown {
                state.budget.note(wanted, for: payer)
                return true
            }
            return state.budget.take(wanted, for: payer)
        }
        guard isGranted else { throw refusal(EMFILE) }
        return Reservation(payer: payer, holding: wanted)
    }

    func giveBack(_ reservation: Reservation) {
        state.withLock { $0.budget.giveBack(reservation.holding, of: reservation.payer) }
    }

    /// - Parameters:
    ///   - reservation: taken over.
    ///   - opener: the number of the OPEN and its connection, see ``Suspects``.
    /// - Returns: the handle.
    /// - Throws: `EMFILE` if the contents of all files of the payer are too much.
    func add(
        _ file: OpenFile, _ reservation: Reservation, opener: UInt64
    ) throws(SystemError) -> UInt64 {
        let payer = reservation.payer
        let content = OpenBudget.Holding(bytes: Self.bytes(file.snapshot))
        let handle = state.withLock { state -> UInt64? in
            guard state.budget.take(content, for: payer) else {
                state.budget.giveBack(reservation.holding, of: payer)
                return nil
            }
            var known = Known(file: file, payer: payer, holding: reservation.holding)
            known.holding += content
            switch table.add(
                file.node, identity: file.identity, file.snapshot, opener: opener,
                payer: payer, hasTrigger: known.holding.triggers > 0)
            {
            case .known(let handle):
                // It is on the account since this worker has begun.
                state.budget.giveBack(known.holding, of: payer)
                return handle
            case .new(let handle):
                state.known[handle] = known
                return handle
            case .full:
                let handle = state.nextLocal
                state.nextLocal += 1
                state.local[handle] = known
                return handle
            }
        }
        guard let handle else { throw refusal(EMFILE) }
        wake()
        return handle
    }

    /// A handle that is not known any more has been removed already.
    func remove(_ handle: UInt64) {
        // What is thrown away is so only after the lock is free: an open file ends slowly.
        let removed = state.withLock { state -> Known? in
            var known = state.local.removeValue(forKey: handle)
            if known == nil {
                let left = table.remove(handle)
                known = state.known.removeValue(forKey: handle)
                if known == nil, let left { state.budget.giveBack(left.1, of: left.0) }
            }
            if let known { state.budget.giveBack(known.holding, of: known.payer) }
            return known
        }
        thrownAway.add(removed?.holding.bytes ?? 0, ordering: .relaxed)
        _ = consume removed
        wake()
    }

    /// Who pays has ended. What is left of it has been handed on to others, who have paid for nothing:
    /// it counts as nobody's, for the next one may get the number of that one.
    func disown(_ payer: Payer) {
        state.withLock { state in
            if state.budget.holding(of: payer) == OpenBudget.Holding() { return }
            // Not what is about to be opened: that is given back in the name of who has asked.
            var left = table.disown(payer)
            for handle in state.known.keys where state.known[handle]?.payer == payer {
                state.known[handle]?.payer = .none
            }
            for (handle, known) in state.local where known.payer == payer {
                left += known.holding
                state.local[handle]?.payer = .none
            }
            state.budget.giveBack(left, of: payer)
            state.budget.note(left, for: .none)
        }
    }

    /// The open file behind a handle. One that an earlier worker has opened comes back with
    /// the content that it had; nil if that is not there.
    func file(_ handle: UInt64) -> OpenFile? {
        state.withLock { state in
            if let known = state.local[handle] ?? state.known[handle] { return known.file }
            guard let stored = table.stored(handle) else { return nil }
            let file = OpenFile(stored)
            state.known[handle] = Known(
                file: file, payer: stored.payer, holding: stored.holding)
            return file
        }
    }

    /// How many threads work for the container that has opened a file; nil if that is not known.
    func gate(ofHandle handle: UInt64) -> RequestGate? {
        state.withLock { ($0.local[handle] ?? $0.known[handle])?.file.gate }
    }

    /// The handle for a file that no worker has opened: one of which the content is lost.
    ///
    /// - Throws: `ENOMEM` if the payer has too much open.
    func adopt(
        _ file: OpenFile, as handle: UInt64, for payer: Payer
    ) throws(SystemError) {
        let holding = OpenBudget.Holding(files: 1, bytes: Self.bytes(file.snapshot))
        let (isGranted, former) = state.withLock { state -> (Bool, Known?) in
            // Two readers may find it lost at the same time.
            let former = state.local.removeValue(forKey: handle)
            if let former { state.budget.giveBack(former.holding, of: former.payer) }
            guard state.budget.take(holding, for: payer) else { return (false, former) }
            state.local[handle] = Known(file: file, payer: payer, holding: holding)
            return (true, former)
        }
        _ = consume former
        guard isGranted else { throw refusal(ENOMEM) }
    }

    // MARK: - What a file takes, once it is open

    /// The content of an open file is another one from now on.
    ///
    /// - Parameter reader: see ``OpenFileTable/replace(_:_:for:)``.
    /// - Throws: `ENOMEM`, as of a file of procfs whose text finds no memory, if the contents of
    ///   all files of the payer are too much.
    func replace(
        _ handle: UInt64, _ snapshot: Snapshot, for reader: UInt64
    ) throws(SystemError) {
        let bytes = Self.bytes(snapshot)
        let isGranted = state.withLock { state -> Bool in
            let isLocal = state.local[handle] != nil
            guard var known = isLocal ? state.local[handle] : state.known[handle] else {
                return true
            }
            let former = OpenBudget.Holding(bytes: known.holding.bytes)
            state.budget.giveBack(former, of: known.payer)
            guard state.budget.take(OpenBudget.Holding(bytes: bytes), for: known.payer) else {
                state.budget.note(former, for: known.payer)
                return false
            }
            known.holding.bytes = bytes
            if isLocal { state.local[handle] = known } else { state.known[handle] = known }
            return true
        }
        guard isGranted else { throw refusal(ENOMEM) }
        table.replace(handle, snapshot, for: reader)
        wake()
    }

    /// A pressure file that an earlier worker has opened gets a descriptor of this one.
    ///
    /// - Parameter payer: of who writes; it pays if nobody is on record.
    /// - Throws: `EMFILE` if the payer has too many.
    func reserveTrigger(
        _ handle: UInt64, payer: () throws(SystemError) -> Payer
    ) throws(SystemError) {
        let writer = try payer()
        let isGranted = state.withLock { state -> Bool in
            guard var known = state.known[handle] ?? state.local[handle] else { return true }
            // On record, and on the account, since it was opened.
            if known.holding.triggers > 0 { return true }
            let trigger = OpenBudget.Holding(triggers: 1)
            let isUnknown = known.payer == .none
            guard state.budget.take(trigger, for: isUnknown ? writer : known.payer) else {
                return false
            }
            if isUnknown {
                state.budget.giveBack(known.holding, of: .none)
                state.budget.note(known.holding, for: writer)
                known.payer = writer
            }
            known.holding += trigger
            if state.local[handle] != nil {
                state.local[handle] = known
            } else {
                state.known[handle] = known
                table.noteTrigger(handle, payer: known.payer)
            }
            return true
        }
        guard isGranted else { throw refusal(EMFILE) }
    }

    private func refusal(_ errno: CInt) -> SystemError {
        refusals.add(1, ordering: .relaxed)
        return SystemError("open", "one more file: this container has too many", errno: errno)
    }

    /// What a content takes, in whole blocks.
    private static func bytes(_ content: Snapshot) -> Int {
        let block = OpenFileTable.blockSize
        return max((content.count + block - 1) / block, 1) * block
    }

    // MARK: - Giving back

    private func wake() {
        guard !isWoken.load(ordering: .relaxed),
            !isWoken.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        EventDescriptor.signal(wakeUp)
    }

    /// Waits until something has been opened or closed, and a moment longer.
    func waitForWork() {
        EventDescriptor.wait(wakeUp)
        sleep(until: Clock.monotonic() + Self.pause)
        isWoken.store(false, ordering: .sequentiallyConsistent)
    }

    /// Gives memory that is not needed any more back to the system.
    ///
    /// - Throws: as ``OpenFileTable/giveBackSome()``.
    func tidyUp() throws(SystemError) {
        // What is left has to be looked at again.
        if recent.expire(now: Clock.monotonic()) { wake() }
        if thrownAway.load(ordering: .relaxed) >= Self.worthwhile {
            thrownAway.store(0, ordering: .relaxed)
            clinux_trim_memory()
        }
        guard table.spareBytes >= Self.worthwhile else { return }
        while try table.giveBackSome() {}
    }

    /// Nanoseconds.
    private static let pause: UInt64 = 400_000_000
    /// Bytes. A file that is opened and closed again and again keeps what it needs.
    private static let worthwhile = 1 << 20
}
