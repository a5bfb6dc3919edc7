import Cgroups
import Glibc
import Syscalls

/// Sleeps until a moment of the monotonic clock.
func sleep(until time: UInt64) {
    while case let rest = clampedDifference(time, Clock.monotonic()), rest > 0 {
        var wait = timespec(
            tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
        nanosleep(&wait, nil)
    }
}
