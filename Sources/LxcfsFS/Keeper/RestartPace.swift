/// How long to wait before a worker is started again: not at all as a rule, longer and longer
/// when that does not help, but never for ever.
struct RestartPace {
    enum Death {
        /// Before it served anybody.
        case neverServed
        /// After it has served for so many nanoseconds. A crash is everything but SIGKILL.
        case served(for: UInt64, isCrash: Bool)
    }

    private var failures = 0
    private var quickDeaths = 0

    private static let millisecond: UInt64 = 1_000_000
    /// A worker that has served for so long has been worth it.
    private static let quick: UInt64 = 1000 * millisecond

    /// - Returns: nanoseconds.
    mutating func delay(after death: Death) -> UInt64 {
        switch death {
        case .neverServed:
            failures += 1
            return Self.doubled(50 * Self.millisecond, failures - 1, limit: 5000)
        case .served(let time, let isCrash):
            failures = 0
            quickDeaths = time < Self.quick ? quickDeaths + 1 : 0
            // SIGKILL comes from outside: another worker does nothing differently.
            if !isCrash { return 0 }
            if quickDeaths <= 5 { return 0 }
            return Self.doubled(10 * Self.millisecond, quickDeaths - 6, limit: 2000)
        }
    }

    private static func doubled(
        _ base: UInt64, _ times: Int, limit milliseconds: UInt64
    ) -> UInt64 {
        min(base << UInt64(min(times, 20)), milliseconds * millisecond)
    }
}
