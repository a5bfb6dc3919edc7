import OCISpec

/// The hook's entries in config.json.
struct HookEntries {
    /// Absolute.
    let path: String
    /// Behind the stage.
    let arguments: [String]
    /// Seconds, after which the runtime kills it.
    let timeout: Int

    static let name = "lxcfs-hook"
    private static let environment = [
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SWIFT_BACKTRACE=enable=no",
    ]

    init(path: String, arguments: [String], options: Options) {
        self.path = path
        self.arguments = arguments
        timeout = max(10, Watch.limit(timeout: options.timeout) / 1000 + 2)
    }

    /// Where the one that mounts is: by engines and former runs it may be there already.
    func created(in hooks: Hooks?) -> (list: WritableKeyPath<Hooks, [Hook]?>, index: Int)? {
        guard let hooks else { return nil }
        for list in [\Hooks.createRuntime, \Hooks.prestart] {
            if let index = hooks[keyPath: list]?.firstIndex(where: isOurs) {
                return (list, index)
            }
        }
        return nil
    }

    /// Adds those that are not there.
    ///
    /// - Parameter mark: nil: what the entry says stays.
    func add(to config: inout Config, mark: AddedMark?) {
        var hooks = config.hooks ?? Hooks()
        if let (list, index) = created(in: hooks) {
            if let mark, let old = hooks[keyPath: list]?[index].env {
                let new = mark.added(to: old)
                if new != old { hooks[keyPath: list]?[index].env = new }
            }
        } else {
            hooks.createRuntime =
                (hooks.createRuntime ?? []) + [
                    entry(.createRuntime, (mark ?? AddedMark()).added(to: Self.environment))
                ]
        }
        if !(hooks.poststop ?? []).contains(where: isOurs) {
            hooks.poststop = (hooks.poststop ?? []) + [entry(.poststop, Self.environment)]
        }
        config.hooks = hooks
    }

    private func isOurs(_ hook: Hook) -> Bool {
        hook.path == path || hook.path.split(separator: "/").last.map(String.init) == Self.name
    }

    private func entry(_ stage: Stage, _ environment: [String]) -> Hook {
        var hook = Hook()
        hook.path = path
        hook.args = [Self.name, stage.rawValue] + arguments
        hook.env = environment
        hook.timeout = timeout
        return hook
    }
}
