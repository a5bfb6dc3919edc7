import Cgroups
import KernelText

/// The CPU time counters that a container is shown, per visible CPU.
///
/// The kernel counts the container's CPU time in total (and, on cgroup v1, per CPU of the
/// host); a container sees a number of CPUs of its own that may change while it runs. The
/// ledger books every increase on the CPUs that are visible at that moment. So no counter
/// ever runs backwards, whatever happens to quota, cpuset or the clock, and the sum over the
/// CPUs is the container's total.
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
        /// CPU time by visible CPU, where the kernel counts it, else empty. Only the
        /// proportions are used. Empty also when other CPUs of the host have become visible
        /// since the last reading.
        public var perCPU: [UInt64]

        public init(age: UInt64, time: CPUTime, perCPU: [UInt64] = []) {
            self.age = age
            self.time = time
            self.perCPU = perCPU
        }
    }

    /// By number in the container; longer than `visible` after CPUs have been taken away.
    public internal(set) var entries: [Entry] = []
    /// The first so many of `entries` are visible now.
    public internal(set) var visible = 0
    /// Over all CPUs, also those that are no longer visible.
    public internal(set) var total = Entry()

    var age: UInt64 = 0
    var time = CPUTime()
    var perCPU: [UInt64] = []
    private var shares: [Double] = []

    public init() {}

    /// Books what has happened since the last reading.
    ///
    /// - Parameter visible: the number of CPUs that the container sees, at least 1.
    public mutating func update(_ reading: Reading, visible count: Int) {
        let count = max(count, 1)
        while entries.count < count { entries.append(Entry()) }
        let wall = clampedDifference(reading.age, age)
        let user = clampedDifference(reading.time.user, time.user)
        let system = clampedDifference(reading.time.system, time.system)
        share(reading, count)

        var restUser = user
        var restSystem = system
        for index in 0..<count {
            var booking = Entry()
            if index == count - 1 {
                booking.user = restUser
                booking.system = restSystem
            } else {
                booking.user = min(restUser, Self.part(user, shares[index]))
                booking.system = min(restSystem, Self.part(system, shares[index]))
                restUser -= booking.user
                restSystem -= booking.system
            }
            booking.idle = clampedDifference(wall, clampedSum(booking.user, booking.system))
            entries[index].add(booking)
            total.add(booking)
        }
        visible = count
        // A counter that went back (a cgroup made anew) is followed, not booked.
        age = max(age, reading.age)
        time = reading.time
        perCPU.removeAll(keepingCapacity: true)
        perCPU.append(contentsOf: reading.perCPU)
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
