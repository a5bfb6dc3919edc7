/// All that happened to the files of one container.
struct AttachSummary {
    private let outcomes: [(Target, Outcome)]
    let failures: [Failure]

    init(_ outcomes: [(Target, Outcome)], _ failures: [Failure]) {
        self.outcomes = outcomes
        self.failures =
            failures
            + outcomes.compactMap { target, outcome in
                outcome.failure.map { Failure(target: target, reason: $0) }
            }
    }

    /// Whether the container has at least one virtual file, be it an older one.
    var isServed: Bool {
        outcomes.contains { _, outcome in
            switch outcome {
            case .attached, .replaced, .present, .stuck: true
            case .skipped, .failed: false
            }
        }
    }

    /// Whether the daemon must go on serving the container, even if some files are missing.
    ///
    /// - Parameter isAllOrNothing: whether a container that lacks a file is not served at all.
    func isToBeServed(isAllOrNothing: Bool) -> Bool {
        isServed && !(isAllOrNothing && !failures.isEmpty)
    }

    /// Whether a file has been mounted in the place of an older one.
    var isRenewed: Bool { count(.replaced) > 0 }

    /// Whether something has changed or failed.
    var hasNews: Bool { isRenewed || count(.attached) > 0 || !failures.isEmpty }

    /// - Parameter failure: how much a file that could not be mounted matters.
    func report(to log: Log, failure: LogLevel) {
        for (target, outcome) in outcomes {
            if case .skipped(let reason) = outcome { log.debug("\(target): \(reason)") }
        }
        if !isServed, let first = failures.first {
            for entry in failures.dropFirst() { log.debug("\(entry)") }
            let more = failures.count > 1 ? " (and \(failures.count - 1) more)" : ""
            log.log(failure, "not attached: \(first)\(more)")
            return
        }
        // Trouble with /proc itself concerns all its files: one line for each reason is enough.
        var told: Set<String> = []
        for entry in failures where told.insert(entry.reason).inserted {
            let others = failures.count { $0.reason == entry.reason } - 1
            log.log(failure, "\(entry)" + (others > 0 ? " (and \(others) more)" : ""))
        }
        log.log(isServed ? .info : max(failure, .warning), line)
    }

    private var line: String {
        var line = "attached \(Self.files(count(.attached) + count(.replaced)))"
        if count(.replaced) > 0 { line += ", \(count(.replaced)) of them replaced" }
        if count(.present) > 0 { line += ", \(count(.present)) already there" }
        if !failures.isEmpty { line += ", \(failures.count) failed" }
        return line
    }

    private func count(_ outcome: Outcome) -> Int {
        outcomes.count { $0.1 == outcome }
    }

    static func files(_ count: Int) -> String {
        count == 1 ? "1 file" : "\(count) files"
    }
}
