import Glibc
import Logging
import Syscalls

/// A log on standard error, from where a service manager takes it.
func makeLog(debug: Bool) -> Logger {
    // Reads the time zone's file here and now, and not when the first message comes.
    tzset()
    let form = LogForm.current
    var log = Logger(label: "lxcfsd") { DaemonLogHandler(label: $0, form: form) }
    log.logLevel = debug ? .debug : .info
    return log
}

/// Lines as those of `StreamLogHandler`, which would wait for whoever reads standard error.
private struct DaemonLogHandler: LogHandler {
    let label: String
    let form: LogForm
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    init(label: String, form: LogForm) {
        self.label = label
        self.form = form
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        switch form {
        case .journal:
            // A line for each record: the next ones would have no priority.
            let text = "\(event.message)".replacing("\n", with: " ")
            LogOutput.write("<\(event.level.priority)>\(text)\n")
        case .plain:
            LogOutput.write(
                "\(Self.timestamp()) \(event.level) \(label): [\(event.source)] \(event.message)\n"
            )
        }
    }

    private static func timestamp() -> String {
        var now = time(nil)
        var local = tm()
        guard localtime_r(&now, &local) != nil else { return "-" }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            guard let start = text.baseAddress else { return "-" }
            return strftime(start, text.count, "%Y-%m-%dT%H:%M:%S%z", &local) > 0
                ? String(cString: start) : "-"
        }
    }
}

/// How lines of the log begin.
enum LogForm {
    /// With the time and the level.
    case plain
    /// With a priority (sd-daemon(3)): the journal has the time, and whose line it is.
    case journal

    /// The journal reads standard error if that is the stream that JOURNAL_STREAM names
    /// (systemd.exec(5)). The variable alone says nothing: a child may have another one.
    static let current: LogForm = {
        guard let stream = getenv("JOURNAL_STREAM") else { return .plain }
        var info = stat()
        guard fstat(STDERR_FILENO, &info) == 0 else { return .plain }
        return String(cString: stream) == "\(info.st_dev):\(info.st_ino)" ? .journal : .plain
    }()
}

extension Logger.Level {
    /// syslog(3): from 3 (an error) to 7 (for debugging). 2 would be a machine in danger.
    var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error, .critical: 3
        }
    }
}
