import Logging

/// A log on standard error, from where a service manager takes it.
func makeLog(debug: Bool) -> Logger {
    var log = Logger(label: "lxcfsd") { StreamLogHandler.standardError(label: $0) }
    log.logLevel = debug ? .debug : .info
    return log
}
