import Testing

@testable import LxcfsHook

@Suite struct InterceptedSetTests {
    @Test func theContainerHasTheLastWord() {
        func set(_ options: InterceptedSet, _ annotations: [String: String]) -> [String] {
            var full: [String: String] = [:]
            for (key, value) in annotations { full[ContainerWishes.prefix + key] = value }
            return InterceptedSet(options, ContainerWishes(full)).names
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
}
