import Testing

@testable import LxcfsHook

@Suite struct InterceptedSetTests {
    @Test func theContainerHasTheLastWord() {
        func set(_ asked: InterceptedSet, _ annotations: [String: String]) -> [String] {
            var options = Options()
            options.intercepted = asked
            options.withholdsSysinfo = true
            return names(options, annotations)
        }
        #expect(set([], [:]) == [])
        #expect(set([.sysinfo], [:]) == ["sysinfo"])
        #expect(set([.sysinfo], ["sysinfo": "false"]) == [])
        #expect(set([], ["sysinfo": "true"]) == ["sysinfo"])
        #expect(set([.sysinfo], ["affinity": "on"]) == ["sysinfo", "sched_getaffinity"])
        #expect(set([.affinity], ["affinity": "0"]) == [])
        #expect(set([.sysinfo], ["sysinfo": "perhaps"]) == ["sysinfo"])
        #expect(ContainerWishes(["io.lxcfs-hook.sysinfo": "perhaps"]).faults.count == 1)
    }

    private func names(_ options: Options, _ annotations: [String: String]) -> [String] {
        var full: [String: String] = [:]
        for (key, value) in annotations { full[ContainerWishes.prefix + key] = value }
        return InterceptedSet(options, ContainerWishes(full)).names
    }

    @Test func sysinfoIsAnsweredUnasked() {
        #expect(names(Options(), [:]) == ["sysinfo"])
        #expect(names(Options(), ["sysinfo": "false"]) == [])
        #expect(names(Options(), ["affinity": "true"]) == ["sysinfo", "sched_getaffinity"])
        var options = Options()
        options.origin = .lxcfs(root: "/var/lib/lxcfs")
        #expect(names(options, [:]) == [])
        #expect(names(options, ["sysinfo": "true"]) == ["sysinfo"])
    }
}
