import Glibc
import KernelText
import Logging
import Syscalls

/// A log on standard error, from where a service manager takes it.
func makeLog(debug: Bool) -> Logger {
    // Reads the time zone's file here and now, and not when the first message comes.
    tzset()
    var log = Logger(label: "lxcfsd") { DaemonLogHandler(label: $0) }
    log.logLevel = debug ? .debug : .info
    return log
}

/// Lines as those of `StreamLogHandler`, which would wait for whoever reads standard error.
private struct DaemonLogHandler: LogHandler {
    let label: String
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    init(label: String) { self.label = label }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        LogOutput.write(
            "\(Self.timestamp()) \(event.level) \(label): [\(event.source)] "
                + printable("\(event.message)") + "\n")
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
