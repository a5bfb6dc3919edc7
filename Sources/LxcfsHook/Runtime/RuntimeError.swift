import Glibc

/// Says why this program ends, where engines look for it: on standard error, and in the file that
/// `--log` names, as runc does.
enum RuntimeError {
    static func report(_ message: String, _ invocation: RuntimeInvocation?) {
        let line = "lxcfs-runtime: \(Log.singleLine(message))"
        if let path = invocation?.log.flatMap(file) {
            let isJSON = invocation?.logFormat == "json"
            append(isJSON ? json(line) : text(line), to: path)
        }
        write(line + "\n", to: STDERR_FILENO)
    }

    /// crun also takes other destinations.
    private static func file(_ log: String) -> String? {
        if log.hasPrefix("file:") { return String(log.dropFirst("file:".count)) }
        return log.hasPrefix("journald:") || log.hasPrefix("syslog:") || log.isEmpty ? nil : log
    }

    private static func json(_ line: String) -> String {
        "{\"level\":\"error\",\"msg\":\(quoted(line)),\"time\":\"\(time)\"}\n"
    }

    private static func text(_ line: String) -> String {
        "time=\"\(time)\" level=error msg=\(quoted(line))\n"
    }

    /// There are no control characters in it.
    private static func quoted(_ line: String) -> String {
        var text = "\""
        for character in line {
            if character == "\"" || character == "\\" { text.append("\\") }
            text.append(character)
        }
        return text + "\""
    }

    /// As RFC 3339 has it.
    private static var time: String {
        var now = time_t()
        Glibc.time(&now)
        var parts = tm()
        gmtime_r(&now, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return buffer.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    private static func append(_ line: String, to path: String) {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0o644)
        if file < 0 { return }
        write(line, to: file)
        close(file)
    }

    private static func write(_ line: String, to descriptor: CInt) {
        var line = line
        line.withUTF8 { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
