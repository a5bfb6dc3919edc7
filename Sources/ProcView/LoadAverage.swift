import Cgroups
import Glibc
import KernelText

/// Load averages by the kernel's formula (`kernel/sched/loadavg.c`): exponentially damped
/// over 1, 5 and 15 minutes, sampled every 5 seconds, in fixed point with 11 bits.
public struct LoadAverage: Equatable, Sendable {
    /// Nanoseconds between two samples.
    public static let interval: UInt64 = 5_000_000_000

    static let fixed: UInt64 = 1 << 11
    /// `1 / exp(5s / 1min)` and so on, in fixed point: the kernel's EXP_1, EXP_5, EXP_15.
    private static let decay: [UInt64] = [1884, 2014, 2037]

    /// Fixed point with 11 bits.
    public private(set) var values: [UInt64]

    /// The averages of a container that was `age` nanoseconds old when it was first looked
    /// at, if `active` threads had been runnable all the time.
    public init(active: Int, age: UInt64) {
        let seconds = Double(age) / 1e9
        values = [60.0, 300, 900].map { minutes in
            UInt64(Double(active) * Double(Self.fixed) * (1 - exp(-seconds / minutes)))
        }
    }

    /// Goes on with averages that were taken before: three numbers as in ``values``.
    public init(values: [UInt64]) { self.values = Array((values + [0, 0, 0]).prefix(3)) }

    /// Takes one sample, 5 seconds after the last.
    public mutating func sample(active: Int) {
        let active = UInt64(max(active, 0)) * Self.fixed
        for index in 0..<3 {
            let decay = Self.decay[index]
            var load = values[index] * decay + active * (Self.fixed - decay)
            // Rounding up on the way up lets a constant load reach its number.
            if active >= values[index] { load += Self.fixed - 1 }
            values[index] = load / Self.fixed
        }
    }

    /// A value in hundredths, as `/proc/loadavg` shows it.
    public static func hundredths(of value: UInt64) -> UInt64 {
        let rounded = value + fixed / 200
        return rounded / fixed * 100 + (rounded % fixed) * 100 / fixed
    }

    /// `/proc/loadavg` (proc_loadavg(5)).
    public func render(_ tasks: TaskCounts, into out: TextBuffer) {
        for value in values {
            let hundredths = Self.hundredths(of: value)
            out.append(number: hundredths / 100)
            out.append(UInt8(ascii: "."))
            out.append(number: hundredths % 100, width: 2, pad: UInt8(ascii: "0"))
            out.append(space)
        }
        out.append(number: UInt64(tasks.runningWithReader))
        out.append(UInt8(ascii: "/"))
        out.append(number: UInt64(max(tasks.total, 0)))
        out.append(space)
        out.append(number: UInt64(max(tasks.lastPID, 0)))
        out.append(newline)
    }
}
