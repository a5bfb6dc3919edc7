import KernelText
import Logging
import Syscalls

/// Lines that others can cause as often as they like: of each kind one in ten seconds, and then how
/// many have been left out.
final class LimitedLog: Sendable {
    enum Kind: Hashable {
        case failure, heldThreads, passedCall, refusedCall
        case socketFailure, strangers, tooManyConnections, tooManyListeners
        case message, withoutListener, unstored
    }

    private struct Last {
        var time: UInt64
        var level: Logger.Level
        /// Since then.
        var omitted = 0
        /// The last one of these.
        var message = ""
    }
    private let last = Guarded<[Kind: Last]>([:])
    private let log: Logger

    /// In nanoseconds.
    static let interval: UInt64 = 10_000_000_000

    init(_ log: Logger) { self.log = log }

    /// - Returns: when ``flush(now:)`` is to be called; nil if nothing has been left out.
    @discardableResult
    func note(
        _ kind: Kind, _ level: Logger.Level, now: UInt64 = Clock.monotonic(),
        _ message: () -> String
    ) -> UInt64? {
        let text = message()
        let due: UInt64? = last.withLock { last in
            if var former = last[kind], clampedDifference(now, former.time) < Self.interval {
                former.omitted += 1
                former.message = text
                last[kind] = former
                return former.time + Self.interval
            }
            last[kind] = Last(time: now, level: level)
            return nil
        }
        if due == nil { log.log(level: level, "\(text)") }
        return due
    }

    /// Says what has been left out for long enough.
    ///
    /// - Returns: when it is to be called again; nil if nothing is left out.
    @discardableResult
    func flush(now: UInt64 = Clock.monotonic()) -> UInt64? {
        let (due, next) = last.withLock { last in
            var due: [Last] = []
            var next: UInt64?
            for (kind, former) in last {
                let end = former.time + Self.interval
                if end > now {
                    if former.omitted > 0 { next = min(next ?? end, end) }
                    continue
                }
                if former.omitted > 0 {
                    due.append(former)
                    last[kind] = Last(time: now, level: former.level)
                } else {
                    last[kind] = nil
                }
            }
            return (due, next)
        }
        for former in due {
            log.log(
                level: former.level,
                "\(former.omitted) lines like this were left out: \(former.message)")
        }
        return next
    }
}
