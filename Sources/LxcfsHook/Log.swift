import Glibc
import KernelText
import Syscalls

/// One-line messages to standard error, which runc shows when a hook fails, and to syslog,
/// because crun shows nothing of a hook's output.
struct Log {
    /// The container that each message names.
    var container: String?
    private let level: LogLevel
    private let sink: (LogLevel, String) -> Void
    /// Told what is done next; see ``Step``.
    private let watcher: (Step, String?) -> Void

    /// - Parameter syslog: also write to syslog(3).
    init(level: LogLevel, syslog: Bool) {
        if syslog { SystemLog.open(identity: "lxcfs-hook") }
        self.init(level: level) { level, message in
            // The runtime may have closed the other end, which is no reason to fail.
            let line = "lxcfs-hook: \(level.rawValue): \(message)\n"
            _ = line.utf8.withContiguousStorageIfAvailable {
                write(STDERR_FILENO, $0.baseAddress, $0.count)
            }
            if syslog { SystemLog.write(level.priority, message) }
        }
    }

    init(
        level: LogLevel, watcher: @escaping (Step, String?) -> Void = { _, _ in },
        sink: @escaping (LogLevel, String) -> Void
    ) {
        self.level = level
        self.sink = sink
        self.watcher = watcher
    }

    /// Says what is done next.
    func note(_ step: Step) { watcher(step, container) }

    func error(_ message: String) { log(.error, message) }
    func warning(_ message: String) { log(.warning, message) }
    func info(_ message: String) { log(.info, message) }
    func debug(_ message: @autoclosure () -> String) { log(.debug, message()) }

    func log(_ level: LogLevel, _ message: @autoclosure () -> String) {
        if level < self.level { return }
        let prefix = container.map { "\($0): " } ?? ""
        sink(level, Self.singleLine(prefix + message()))
    }

    /// The message without line breaks and other control characters, cut at a limit.
    ///
    /// Messages quote what a container's author wrote, such as annotations and paths. That must
    /// not forge a line of its own or fill the log.
    static func singleLine(_ message: String) -> String {
        let limit = 1000
        var line = ""
        line.unicodeScalars.append(contentsOf: message.unicodeScalars.prefix(limit))
        line = printable(line)
        return message.unicodeScalars.count > limit ? line + "..." : line
    }
}
