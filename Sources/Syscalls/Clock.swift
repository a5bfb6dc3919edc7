import CLinux
import Glibc

/// Readings of the kernel's clocks (clock_gettime(2)), in nanoseconds.
public enum Clock {
    /// Since boot, time in suspend included: the clock of `/proc/uptime` and of process
    /// start times.
    public static func boottime() -> UInt64 { read(CLOCK_BOOTTIME) }
    /// Since some moment; never set, stands still in suspend.
    public static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }
    /// Since 1970; may be set.
    public static func realtime() -> UInt64 { read(CLOCK_REALTIME) }

    /// The CPU time that the calling thread has used.
    public static func thread() -> UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    /// The same, and what an ``Aide`` has used for it.
    public static func work() -> UInt64 { thread() + clinux_lent_time() }

    /// How long the machine has been suspended since boot.
    public static func suspended() -> UInt64 {
        let now = monotonic()
        let then = boottime()
        return then > now ? then - now : 0
    }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        // Cannot fail: the clock exists on every kernel that has the calls we need.
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// `USER_HZ`: the unit of CPU times and start times in /proc, in ticks per second.
    public static let ticksPerSecond = UInt64(max(sysconf(CInt(_SC_CLK_TCK)), 1))
    /// Nanoseconds in one tick.
    public static let nanosecondsPerTick = 1_000_000_000 / ticksPerSecond
}
