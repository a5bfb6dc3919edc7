import Cgroups
import KernelText

/// The CPU time counters that a container is shown, per CPU, by the kernel's number of it.
///
/// The kernel counts the container's CPU time in total (and, on cgroup v1, per CPU of the
/// host); which CPUs the container sees may change while it runs. The ledger books every
/// increase on the CPUs that are visible at that moment. So no counter ever runs backwards,
/// whatever happens to quota, cpuset or the clock, and the sum over the CPUs is the
/// container's total.
public struct CPULedger: Sendable {
    /// In nanoseconds.
    public struct Entry: Equatable, Sendable {
        public var user: UInt64 = 0
        public var system: UInt64 = 0
        public var idle: UInt64 = 0

        public init() {}

        mutating func add(_ other: Entry) {
            user = clampedSum(user, other.user)
            system = clampedSum(system, other.system)
            idle = clampedSum(idle, other.idle)
        }
    }

    /// One reading of the kernel's counters.
    public struct Reading {
        /// Nanoseconds since the container started.
        public var age: UInt64
        public var time: CPUTime
        /// CPU time by visible CPU, in ascending order of their numbers, where the kernel
        /// counts it, else empty. Only the proportions are used.
        public var perCPU: [UInt64]

        public init(age: UInt64, time: CPUTime, perCPU: [UInt64] = []) {
            self.age = age
            self.time = time
            self.perCPU = perCPU
        }
    }

    /// The kernel's numbers of the CPUs that `entries` are of, ascending: all that have ever
    /// been visible. Empty beside entries that an earlier version has left without numbers,
    /// until ``number(by:)``.
    public internal(set) var cpus: [Int] = []
    public internal(set) var entries: [Entry] = []
    /// The positions in `entries` of the CPUs that are visible now, ascending.
    public internal(set) var visible: [Int] = []
    /// Over all CPUs, also those that are no longer visible.
    public internal(set) var total = Entry()

    var age: UInt64 = 0
    var time = CPUTime()
    /// Of the last reading, by visible CPU. Empty if another process took that reading.
    private var perCPU: [UInt64] = []
    private var shares: [Double] = []

    public init() {}

    /// Whether the entries do not say of which CPUs they are.
    var isUnnumbered: Bool { cpus.isEmpty && !entries.isEmpty }

    /// Gives numbers to the entries that a version has left which counted CPUs from 0: it
    /// showed the first ones of the affinity, in that order. What was booked on more CPUs
    /// than there are now stays in the total alone. Entries that have numbers keep them.
    ///
    /// - Parameter affinity: the CPUs on which the container may run.
    public mutating func number(by affinity: CPUList) {
        guard isUnnumbered else { return }
        let count = min(entries.count, affinity.count)
        cpus = Array(affinity.cpus.prefix(count))
        entries.removeLast(entries.count - count)
        visible = visible.filter { $0 < count }
    }

    /// Books what has happened since the last reading.
    ///
    /// - Parameter list: the CPUs that the container sees; CPU 0 if that is none.
    public mutating func update(_ reading: Reading, visible list: CPUList) {
        if list.isEmpty { return update(reading, visible: CPUList([0])) }
        number(by: list)
        if show(list) { perCPU.removeAll(keepingCapacity: true) }
        let wall = clampedDifference(reading.age, age)
        let user = clampedDifference(reading.time.user, time.user)
        let system = clampedDifference(reading.time.system, time.system)
        share(reading, visible.count)

        var restUser = user
        var restSystem = system
        for index in visible.indices {
            var booking = Entry()
            if index == visible.count - 1 {
                booking.user = restUser
                booking.system = restSystem
            } else {
                booking.user = min(restUser, Self.part(user, shares[index]))
                booking.system = min(restSystem, Self.part(system, shares[index]))
                restUser -= booking.user
                restSystem -= booking.system
            }
            booking.idle = clampedDifference(wall, clampedSum(booking.user, booking.system))
            entries[visible[index]].add(booking)
            total.add(booking)
        }
        // A counter that went back (a cgroup made anew) is followed, not booked.
        age = max(age, reading.age)
        time = reading.time
        perCPU.removeAll(keepingCapacity: true)
        perCPU.append(contentsOf: reading.perCPU)
    }

    /// Makes `visible` the positions of these CPUs, with entries for those that are new.
    ///
    /// - Returns: whether other CPUs were visible before.
    private mutating func show(_ list: CPUList) -> Bool {
        if isShown(list) { return false }
        visible.removeAll(keepingCapacity: true)
        var position = 0
        for cpu in list.cpus {
            while position < cpus.count, cpus[position] < cpu { position += 1 }
            if position == cpus.count || cpus[position] != cpu {
                cpus.insert(cpu, at: position)
                entries.insert(Entry(), at: position)
            }
            visible.append(position)
        }
        return true
    }

    private func isShown(_ list: CPUList) -> Bool {
        guard list.count == visible.count else { return false }
        for index in visible.indices where cpus[visible[index]] != list.cpus[index] {
            return false
        }
        return true
    }

    /// The largest times are rounded to one more than 64 bits hold.
    private static func part(_ time: UInt64, _ share: Double) -> UInt64 {
        UInt64(exactly: (Double(time) * share).rounded(.towardZero)) ?? time
    }

    /// Each visible CPU's part of what was used since the last reading: as the kernel
    /// counted it if it did, but no CPU more than it can have done; else equal parts.
    private mutating func share(_ reading: Reading, _ count: Int) {
        shares.removeAll(keepingCapacity: true)
        var sum = 0.0
        let first = age == 0
        if reading.perCPU.count == count, first || perCPU.count == count {
            for index in 0..<count {
                let before = first ? 0 : perCPU[index]
                let used = Double(clampedDifference(reading.perCPU[index], before))
                shares.append(used)
                sum += used
            }
        }
        guard sum > 0 else {
            shares.removeAll(keepingCapacity: true)
            shares.append(contentsOf: repeatElement(1 / Double(count), count: count))
            return
        }
        for index in 0..<count { shares[index] /= sum }
        spill(
            busy: Double(clampedDifference(reading.time.total, time.total)),
            wall: Double(clampedDifference(reading.age, age)))
    }

    /// Moves what exceeds a CPU's wall time to those that have room: time used on CPUs that
    /// the container does not see is theirs.
    private mutating func spill(busy: Double, wall: Double) {
        guard busy > 0, wall > 0 else { return }
        let full = wall / busy
        var excess = 0.0
        var room = 0.0
        for share in shares {
            excess += max(share - full, 0)
            room += max(full - share, 0)
        }
        guard excess > 0, room > 0 else { return }
        let moved = min(excess, room)
        for index in shares.indices {
            if shares[index] > full {
                shares[index] -= (shares[index] - full) * moved / excess
            } else {
                shares[index] += (full - shares[index]) * moved / room
            }
        }
    }
}
