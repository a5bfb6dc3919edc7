import OCISpec

/// A new time namespace in config.json, whose clock since boot starts at 0 (config-linux.md,
/// "Offset for Time Namespace").
///
/// Only the clock since boot is shifted. CLOCK_MONOTONIC is in no file and no answer about ages,
/// and programs compare it with what others outside read (shared memory, traces, media): shifted,
/// it would only spoil that.
struct TimeNamespace: Equatable {
    /// What is added to the clock since boot.
    let offset: TimeOffset

    /// - Parameter boottime: the host's clock since boot, in nanoseconds. It goes on until the
    ///   runtime makes the namespace, so the kernel never finds the sum below 0.
    init(boottime: UInt64) {
        let second: UInt64 = 1_000_000_000
        let rest = boottime % second
        var offset = TimeOffset()
        offset.secs = -Int64(boottime / second) - (rest > 0 ? 1 : 0)
        offset.nanosecs = rest > 0 ? UInt32(second - rest) : 0
        self.offset = offset
    }

    func add(to config: inout Config) {
        var namespace = Namespace()
        namespace.type = Namespace.Kind.time.rawValue
        var linux = config.linux ?? Linux()
        linux.namespaces = (linux.namespaces ?? []) + [namespace]
        linux.timeOffsets = ["boottime": offset]
        config.linux = linux
    }

    /// Why a container gets none; nil if it may.
    ///
    /// - Parameter sharesPIDNamespace: its pid namespace is the host's, by a path.
    static func objection(_ config: Config, sharesPIDNamespace: Bool) -> String? {
        if config.namespace(.time) != nil { return "config.json has one already" }
        if !(config.linux?.timeOffsets ?? [:]).isEmpty {
            return "config.json has time offsets of its own"
        }
        // Their start, counted from the container's, is below 0, which /proc/<pid>/stat cannot say.
        guard let pid = config.namespace(.pid), !sharesPIDNamespace else {
            return """
                it is in the host's pid namespace, where most processes are older than it is
                """
        }
        if !(pid.path ?? "").isEmpty {
            return """
                it shares a pid namespace with another container, whose processes may be older \
                than it is
                """
        }
        return nil
    }
}
