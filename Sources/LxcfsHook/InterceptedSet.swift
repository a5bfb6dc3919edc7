/// Which system calls the agent is to answer.
struct InterceptedSet: OptionSet, Sendable {
    let rawValue: Int

    static let sysinfo = InterceptedSet(rawValue: 1)
    static let affinity = InterceptedSet(rawValue: 2)

    init(rawValue: Int) { self.rawValue = rawValue }

    var names: [String] {
        (contains(.sysinfo) ? ["sysinfo"] : [])
            + (contains(.affinity) ? ["sched_getaffinity"] : [])
    }
}
