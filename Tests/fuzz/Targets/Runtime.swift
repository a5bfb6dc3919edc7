import KernelText
import OCISpec

@testable import LxcfsHook

/// What `lxcfs-runtime` adds to a config.json is there afterwards, once, and nothing else is
/// different.
@Sendable func fuzzAdaptedConfig(_ input: Bytes) {
    guard let (text, found) = try? AdaptedConfig.parse(Array(input)) else { return }
    let hook = HookEntries(path: "/h/lxcfs-hook", arguments: ["--x"], options: Options())
    do {
        var wanted = found
        if TimeNamespace.objection(found, sharesPIDNamespace: false) == nil {
            TimeNamespace(boottime: 5_000_000_001).add(to: &wanted)
        }
        let interception = Interception(listenerPath: "/s", calls: ["sysinfo"])
        if let profile = interception.applied(to: found.linux?.seccomp).profile {
            if wanted.linux == nil { wanted.linux = Linux() }
            wanted.linux?.seccomp = profile
        }
        hook.add(to: &wanted, mark: AddedMark())
        let before = Array(input)
        guard let change = try ConfigChange.from(found, to: wanted) else { return }
        let changed = try text.changed(change)
        let (_, got) = try AdaptedConfig.parse(changed)
        require(got.hooks == wanted.hooks, "the hooks are others")
        require(got.linux == wanted.linux, "linux is another")
        require(got.root == found.root && got.mounts == found.mounts, "the rest is another")
        require(got.process == found.process, "process is another")
        require(changed.count > before.count, "something has been lost")
        var again = got
        hook.add(to: &again, mark: AddedMark())
        require(try ConfigChange.from(got, to: again) == nil, "added twice")
    } catch {
        fatalError("what was read cannot be changed: \(error)")
    }
}

@Sendable func fuzzInvocation(_ input: Bytes) {
    let words = String(decoding: input, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
    for isCrun in [false, true] {
        let invocation = RuntimeInvocation(words, isCrun: isCrun)
        if let command = invocation.command {
            require(words.contains(command), "a command that nobody has given")
        }
        if let bundle = invocation.bundle {
            require(words.contains { $0.hasSuffix(bundle) }, "a bundle that nobody has given")
        }
    }
}

@Sendable func fuzzMark(_ input: Bytes) {
    let file = Array(input)
    let isMarked = RuntimeMark.isMarked { offset, count in
        let start = Int(min(offset, UInt64(file.count)))
        return Array(file[start...].prefix(count))
    }
    guard isMarked else { return }
    let name = RuntimeMark.name
    require(
        file.count >= name.count
            && (0...file.count - name.count).contains { file[$0...].starts(with: name) },
        "a mark that is not there")
}
