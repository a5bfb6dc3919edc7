import OCISpec
import Testing

@Suite struct ConfigQueriesTests {
    @Test func namespaces() throws {
        let config = try Config(
            json: Array(
                """
                {"ociVersion":"1","linux":{"namespaces":[{"type":"mount"},\
                {"type":"network","path":"/run/netns/a"},{"type":"later"}]}}
                """.utf8))
        #expect(config.namespace(.mount) != nil)
        #expect(config.namespace(.mount)?.path == nil)
        #expect(config.namespace(.network)?.path == "/run/netns/a")
        #expect(config.namespace(.user) == nil)
        #expect(Config().namespace(.mount) == nil)
    }

    @Test(arguments: [
        ("{}", true),
        (#"{"maskedPaths":[],"readonlyPaths":[]}"#, true),
        (#"{"maskedPaths":null}"#, true),
        (#"{"maskedPaths":["/proc/kcore"]}"#, false),
        (#"{"readonlyPaths":["/proc/sys"]}"#, false),
    ])
    func procUnmasked(linux: String, expected: Bool) throws {
        let json = #"{"ociVersion":"1","linux":\#(linux)}"#
        #expect(try Config(json: Array(json.utf8)).isProcUnmasked == expected)
        #expect(Config().isProcUnmasked)
    }

    @Test(arguments: [
        ("/proc/meminfo", "/proc/meminfo", true),
        ("/proc/meminfo", "//proc/./meminfo/", true),
        ("/proc/meminfo", "/proc/x/../meminfo", true),
        ("/proc/meminfo", "/../proc/meminfo", true),
        ("/proc/meminfo", "proc/meminfo", true),
        ("/proc//meminfo/", "/proc/meminfo", true),
        ("/proc/meminfo", "/proc", false),
        ("/proc/meminfo", "/proc/", false),
        ("/proc/meminfo", "/", false),
        ("/proc/meminfo", "/proc/mem", false),
        ("/proc/meminfo", "/proc/meminfo2", false),
        ("/proc/meminfo", "/data/proc/meminfo", false),
        ("/proc/meminfo", "/proc/../meminfo", false),
        ("/proc/pressure/cpu", "/proc/pressure", true),
        ("/sys/devices/system/cpu", "/sys", false),
        ("/sys/devices/system/cpu", "/sys/devices", true),
        ("/sys/devices/system/cpu", "/sys/devices/system/cpu/online", true),
        ("/sys/devices/system/cpu", "/sys/devices/system/node", false),
        ("/sys/devices/system/cpu", "/sys/fs/cgroup", false),
    ])
    func mountCovers(target: String, destination: String, expected: Bool) {
        var other = Config.Mount()
        other.destination = "/dev/shm"
        var mount = Config.Mount()
        mount.destination = destination
        var config = Config()
        #expect(!config.mountCovers(target))
        config.mounts = [other, mount]
        #expect(config.mountCovers(target) == expected)
    }

    @Test func `capabilities count in the host's user namespace, in whatever set they are`()
        throws
    {
        func config(_ sets: String?, userNamespace: Bool = false) throws -> Config {
            let process = sets.map { #""process":{"capabilities":{\#($0)}},"# } ?? ""
            let namespaces = userNamespace ? #"{"type":"user"}"# : #"{"type":"pid"}"#
            let json =
                #"{"ociVersion":"1.0.2",\#(process)"linux":{"namespaces":[\#(namespaces)]}}"#
            return try Config(json: Array(json.utf8))
        }
        let wanted = ["CAP_SYS_ADMIN", "CAP_LEASE"]
        for set in ["bounding", "effective", "permitted", "inheritable", "ambient"] {
            let with = #""\#(set)":["CAP_KILL","CAP_SYS_ADMIN"]"#
            #expect(try config(with).mayHave(wanted))
            #expect(try !config(with, userNamespace: true).mayHave(wanted))
            #expect(try !config(#""\#(set)":["CAP_KILL","CAP_SYS_ADMI"]"#).mayHave(wanted))
        }
        // Who says nothing of it is not taken at its best.
        #expect(try config(nil).mayHave(wanted))
        #expect(try !config("").mayHave(wanted))
    }

    @Test(arguments: [
        ("rootfs", "/b", "/b/rootfs"), ("rootfs", "/b/", "/b/rootfs"),
        ("/var/r", "/b", "/var/r"), ("../r", "/b", "/b/../r"),
    ])
    func rootPath(path: String, bundle: String, expected: String) {
        var config = Config()
        #expect(config.rootPath(bundle: bundle) == nil)
        config.root = Config.Root()
        config.root?.path = path
        #expect(config.rootPath(bundle: bundle) == expected)
    }
}
