import CLinux
import Glibc

/// The system's log (syslog(3)), facility `daemon`.
public enum SystemLog {
    /// How bad it is, as in syslog(3).
    public enum Priority: CInt, Sendable {
        case error = 3
        case warning = 4
        case info = 6
        case debug = 7
    }

    /// Connects to the log now, so that a later change of the mount namespace does not lead
    /// to another `/dev/log`.
    ///
    /// - Parameter identity: the program's name in each line. openlog(3) keeps the pointer,
    ///   hence a literal.
    public static func open(identity: StaticString) {
        // syslog(3) makes a local time; tzset(3) reads the time zone's file here and now
        // instead of in whatever namespace the first message is written.
        tzset()
        identity.withUTF8Buffer { bytes in
            bytes.baseAddress?.withMemoryRebound(to: CChar.self, capacity: bytes.count + 1) {
                openlog($0, LOG_PID | LOG_NDELAY, 3 << 3)
            }
        }
    }

    public static func write(_ priority: Priority, _ message: String) {
        clinux_syslog(priority.rawValue, message)
    }
}
