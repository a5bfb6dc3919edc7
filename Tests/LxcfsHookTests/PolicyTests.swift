import OCISpec
import Testing

@testable import LxcfsHook

@Suite struct PolicyTests {
    /// What podman and runc make of an ordinary container, shortened.
    static func config(
        _ annotations: [String: String] = [:], mounts: [(String, String)] = [],
        namespaces: [String] = ["pid", "mount"], masked: Bool = true, root: String? = "rootfs",
        kernelFilesystems: [String] = ["proc", "sys"]
    ) throws -> Config {
        let all =
            kernelFilesystems.map { ("/\($0)", $0 == "proc" ? "proc" : "sysfs") } + mounts
        let mountList = all.map { #"{"destination":"\#($0.0)","type":"\#($0.1)"}"# }
        let namespaceList = namespaces.map { #"{"type":"\#($0)"}"# }
        let annotationList = annotations.map { #""\#($0.key)":"\#($0.value)""# }
        let rootField = root.map { #""root":{"path":"\#($0)"},"# } ?? ""
        let json = """
            {"ociVersion":"1.0.2",\(rootField)
             "mounts":[\(mountList.joined(separator: ","))],
             "annotations":{\(annotationList.joined(separator: ","))},
             "linux":{"namespaces":[\(namespaceList.joined(separator: ","))],
                      "maskedPaths":\(masked ? #"["/proc/kcore"]"# : "[]")}}
            """
        return try Config(json: Array(json.utf8))
    }

    static let disk = Target(
        .sys, parent: "devices/virtual/block/loop0", name: "stat",
        servedIn: "/sys/dev/block/7:0")

    static func policy(
        _ config: Config, _ options: Options = Options(), shares: Bool = false,
        sharesPID: Bool = false
    ) throws -> Policy {
        try Policy(
            config: config, bundle: "/bundle", sharesMountNamespace: shares,
            sharesPIDNamespace: sharesPID,
            disks: { [PolicyTests.disk] }, options: options)
    }

    static func plan(_ config: Config, _ options: Options = Options()) throws -> Plan? {
        guard case .attach(let plan) = try policy(config, options).decision else { return nil }
        return plan
    }

    static func isSkipped(_ config: Config, shares: Bool = false) throws -> Bool {
        if case .skip = try policy(config, shares: shares).decision { true } else { false }
    }

    @Test func `a filesystem of its own is for who may rule those of others`() throws {
        var config = try Self.config()
        config.process = Config.Process()
        config.process?.capabilities = Config.Capabilities()
        config.process?.capabilities?.bounding = ["CAP_KILL", "CAP_SETUID", "CAP_LEASE"]
        #expect(try Self.plan(config)?.rulesFilesystems == false)
        for name in ["CAP_SYS_ADMIN", "CAP_DAC_READ_SEARCH"] {
            config.process?.capabilities?.bounding = ["CAP_KILL", name]
            #expect(try Self.plan(config)?.rulesFilesystems == true)
        }
        config.linux?.namespaces = try Self.config(namespaces: ["pid", "mount", "user"])
            .linux?.namespaces
        #expect(try Self.plan(config)?.rulesFilesystems == false)
    }

    @Test func ordinaryContainerGetsEverything() throws {
        let plan = try #require(try Self.plan(Self.config()))
        #expect(plan.rootfs == "/bundle/rootfs")
        #expect(plan.targets.count == 15)
        #expect(plan.targets.first?.path == "/proc/cpuinfo")
        #expect(plan.targets.last == Self.disk)
        #expect(plan.targets.map(\.path).contains("/proc/pressure/memory"))
        #expect(plan.cpus == nil)
    }

    @Test func absoluteRoot() throws {
        #expect(try Self.plan(Self.config(root: "/var/lib/x"))?.rootfs == "/var/lib/x")
    }

    @Test func withoutRootItIsNoContainer() throws {
        let config = try Self.config(root: nil)
        #expect(throws: InputError.self) { try Self.policy(config) }
    }

    @Test(arguments: ["false", "0", "no", "off", "False", "OFF"])
    func optOut(word: String) throws {
        #expect(try Self.isSkipped(Self.config(["io.lxcfs-hook.enable": word])))
    }

    @Test(arguments: ["true", "1", "yes", "on"])
    func optIn(word: String) throws {
        let policy = try Self.policy(Self.config(["io.lxcfs-hook.enable": word]))
        #expect(policy.faults.isEmpty)
        #expect(try !Self.isSkipped(Self.config(["io.lxcfs-hook.enable": word])))
    }

    @Test func whoWantsCallsAnsweredWantsTheFiles() throws {
        for key in ["sysinfo", "affinity", "time"] {
            let key = "io.lxcfs-hook." + key
            #expect(ContainerWishes([key: "true"]).isEnabled == true)
            #expect(ContainerWishes([key: "false"]).isEnabled == nil)
            let refusal = [key: "true", "io.lxcfs-hook.enable": "false"]
            #expect(ContainerWishes(refusal).isEnabled == false)
            #expect(try Self.isSkipped(Self.config(refusal)))
        }
    }

    @Test func mountNamespaceOfTheHost() throws {
        #expect(try Self.isSkipped(Self.config(namespaces: ["pid"])))
        #expect(try Self.isSkipped(Self.config(), shares: true))
    }

    @Test func pidNamespaceOfTheHostOnlyIfAsked() throws {
        let without = try Self.config(namespaces: ["mount"])
        #expect(try Self.isSkipped(without))
        // A path in config.json may lead there.
        guard case .skip = try Self.policy(Self.config(), sharesPID: true).decision else {
            Issue.record("served")
            return
        }
        var options = Options()
        options.attachesHostPID = true
        #expect(try Self.plan(without, options) != nil)
        let wish = ["io.lxcfs-hook.host-pid": "true"]
        #expect(try Self.plan(Self.config(wish, namespaces: ["mount"])) != nil)
        let refusal = ["io.lxcfs-hook.host-pid": "false"]
        #expect(try Self.plan(Self.config(refusal, namespaces: ["mount"]), options) == nil)
        let enabled = ["io.lxcfs-hook.enable": "true"]
        #expect(try Self.isSkipped(Self.config(enabled, namespaces: ["mount"])))
    }

    @Test func unmaskedProcOnlyIfAsked() throws {
        #expect(try Self.isSkipped(Self.config(masked: false)))
        var options = Options()
        options.attachesUnmasked = true
        #expect(try Self.plan(Self.config(masked: false), options) != nil)
        let wish = ["io.lxcfs-hook.unmasked": "true"]
        #expect(try Self.plan(Self.config(wish, masked: false)) != nil)
        let refusal = ["io.lxcfs-hook.unmasked": "false"]
        #expect(try Self.plan(Self.config(refusal, masked: false), options) == nil)
    }

    @Test(arguments: [
        ("/proc/meminfo", "/proc/meminfo"), ("/proc//./uptime/", "/proc/uptime"),
        ("/proc/pressure", "/proc/pressure/io"),
        ("/sys/devices", "/sys/devices/system/cpu"),
        ("/sys/devices/system/cpu/online", "/sys/devices/system/cpu"),
    ])
    func theUsersMountsStay(destination: String, target: String) throws {
        let policy = try Self.policy(Self.config(mounts: [(destination, "bind")]))
        guard case .attach(let plan) = policy.decision else {
            Issue.record("skipped")
            return
        }
        #expect(!plan.targets.map(\.path).contains(target))
        #expect(plan.targets.map(\.path).contains("/proc/stat"))
        #expect(policy.notes.contains { $0.hasPrefix("\(target): ") })
    }

    @Test func mountsOfItsOwnAreAFaultIfThePolicySaysSo() throws {
        var options = Options()
        options.excuses = [.hostPID, .unmasked]
        let policy = try Self.policy(
            Self.config(mounts: [("/proc/meminfo", "bind"), ("/data", "bind")]), options)
        #expect(
            policy.faults == [
                "/proc/meminfo: a mount of config.json covers it, against the policy"
            ])
    }

    @Test func otherMountsDoNotMatter() throws {
        let config = try Self.config(mounts: [
            ("/sys/fs/cgroup", "cgroup2"), ("/proc/sys", "bind"), ("/data/proc/stat", "bind"),
            ("/", "bind"),
        ])
        #expect(try Self.plan(config)?.targets.count == 15)
    }

    @Test func withoutSysfsOnlyProc() throws {
        let plan = try #require(try Self.plan(Self.config(kernelFilesystems: ["proc"])))
        #expect(plan.targets.count == 12)
        #expect(plan.targets.allSatisfy { $0.filesystem == .proc })
    }

    @Test func withoutProcAndSysNothing() throws {
        #expect(try Self.isSkipped(Self.config(kernelFilesystems: [])))
    }

    @Test func theContainerChooses() throws {
        var options = Options()
        options.files = [.stat]
        options.cpus = .quota
        let wishes = [
            "io.lxcfs-hook.files": "uptime, meminfo", "io.lxcfs-hook.cpus": "cpuset",
        ]
        let plan = try #require(try Self.plan(Self.config(wishes), options))
        #expect(plan.targets.map(\.path) == ["/proc/meminfo", "/proc/uptime"])
        #expect(plan.cpus == .cpuset)
        let unasked = try #require(try Self.plan(Self.config(), options))
        #expect(unasked.targets.map(\.path) == ["/proc/stat"])
        #expect(unasked.cpus == .quota)
    }

    @Test(arguments: [
        ("enable", "perhaps"), ("files", "meminfo,bogus"), ("files", ""), ("files", " , "),
        ("cpus", "all"), ("unmasked", "maybe"), ("enabled", "false"),
    ])
    func badAnnotationsAreIgnoredAndTold(key: String, value: String) throws {
        let policy = try Self.policy(Self.config(["io.lxcfs-hook.\(key)": value]))
        #expect(policy.faults.count == 1)
        #expect(policy.faults.first?.contains("io.lxcfs-hook.\(key)") == true)
        guard case .attach(let plan) = policy.decision else {
            Issue.record("skipped")
            return
        }
        #expect(plan.targets.count == 15)
    }

    @Test func annotationsOfOthersDoNotMatter() throws {
        let config = try Self.config(["io.lxcfs-hooks.enable": "false", "enable": "false"])
        #expect(try Self.policy(config).faults.isEmpty)
        #expect(try !Self.isSkipped(config))
    }

    @Test func whetherMeminfoMayBeOurs() throws {
        func may(_ config: Config, _ files: [VirtualFile] = VirtualFile.allCases) -> Bool {
            var options = Options()
            options.files = files
            return Policy.mayShowMeminfo(
                config, wishes: ContainerWishes(config.annotations ?? [:]), options: options)
        }
        #expect(try may(Self.config()))
        #expect(try !may(Self.config(), [.stat]))
        #expect(try !may(Self.config(["io.lxcfs-hook.files": "uptime"])))
        #expect(try !may(Self.config(kernelFilesystems: ["sys"])))
        // As with docker -v.
        #expect(try may(Self.config(mounts: [("/proc/meminfo", "bind")]), [.stat]))
    }
}
