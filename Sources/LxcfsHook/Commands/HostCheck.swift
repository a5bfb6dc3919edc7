import Cgroups
import Glibc
import Syscalls

/// What this machine has of what is needed.
struct HostCheck {
    var isRoot: Bool { geteuid() == 0 && !isRootless }

    /// Whether this is a user namespace that knows only some of the host's users
    /// (user_namespaces(7)).
    private let isRootless: Bool
    private let release: String

    init() {
        isRootless = !Self.isWholeUserNamespace(
            (try? readFile("/proc/self/uid_map", limit: 1 << 16)) ?? [])
        release = Self.kernelRelease()
    }

    func findings() -> [Finding] {
        [privileges(), kernel()] + features() + [fuse()] + cgroups() + securityModules()
    }

    private func privileges() -> Finding {
        if isRootless {
            return .fail(
                """
                rootless: this is a user namespace, and lxcfsd serves containers of the host's \
                root only
                """, "mount /var/lib/lxcfs/proc/... with -v; see docs/docker.md")
        }
        return geteuid() == 0
            ? .ok("running as root")
            : .fail("not running as root: only root may mount", "sudo lxcfs-hook check")
    }

    /// Whether a map of user ids is that of the first user namespace.
    static func isWholeUserNamespace(_ map: [UInt8]) -> Bool {
        let words = String(decoding: map, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        return words.isEmpty || words == ["0", "0", "4294967295"]
    }

    // MARK: - Kernel

    private static func kernelRelease() -> String {
        var names = utsname()
        guard uname(&names) == 0 else { return "" }
        return withUnsafeBytes(of: &names.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Major and minor number of a kernel's release.
    static func version(ofRelease release: String) -> (Int, Int)? {
        let parts = release.split(separator: ".", maxSplits: 2)
        guard parts.count >= 2, let major = Int(parts[0]),
            let minor = Int(parts[1].prefix { $0.isNumber })
        else { return nil }
        return (major, minor)
    }

    private func kernel() -> Finding {
        guard let version = Self.version(ofRelease: release) else {
            return .warn("Linux \(release): cannot tell whether that is 5.12 or later")
        }
        return version >= (5, 12)
            ? .ok("Linux \(release)")
            : .fail("Linux \(release) is too old: Linux 5.12 is needed")
    }

    private func features() -> [Finding] {
        // Who is not root may not even try.
        guard isRoot else { return [] }
        return MountFeature.allCases.map { feature in
            if feature.isSupported { return .ok("the kernel has \(feature.rawValue)") }
            if feature == .moveMountBeneath {
                return .warn(
                    """
                    the kernel has no \(feature.rawValue) (Linux 6.5): for a moment, attach \
                    shows the host's values when it replaces a file
                    """)
            }
            return .fail("the kernel has no \(feature.rawValue) (Linux 5.12 has all)")
        }
    }

    private func fuse() -> Finding {
        let path = "/dev/fuse"
        do {
            let status = try FileDescriptor.open(path, O_PATH).status(path: path)
            guard status.st_mode & S_IFMT == S_IFCHR else {
                return .fail("\(path) is not a device", "rm \(path); mknod \(path) c 10 229")
            }
            return .ok("\(path) is there")
        } catch {
            return .fail("\(error)", "modprobe fuse")
        }
    }

    private func cgroups() -> [Finding] {
        do {
            let mounts = try readFile("/proc/self/mountinfo").withUnsafeBufferPointer {
                CgroupMounts(mountinfo: $0)
            }
            return [Self.cgroups(mounts)]
        } catch {
            return [.fail("\(error)", "mount /proc")]
        }
    }

    static func cgroups(_ mounts: CgroupMounts) -> Finding {
        if mounts.mounts.isEmpty {
            return .fail(
                """
                no cgroups are mounted: containers have no limits that could be seen, and are \
                shown the host
                """, "mount -t cgroup2 cgroup2 /sys/fs/cgroup")
        }
        if mounts.version != .v2, mounts.legacy(.memory) == nil, !hasUnified(.memory, mounts) {
            return .warn("no memory cgroup: containers are shown the host's memory")
        }
        return .ok("cgroups are mounted (\(mounts.version.rawValue))")
    }

    private static func hasUnified(_ controller: Controller, _ mounts: CgroupMounts) -> Bool {
        guard let mount = mounts.unified,
            let list = try? readFile(mount.mountPoint + "/cgroup.controllers", limit: 4096)
        else { return false }
        return String(decoding: list, as: UTF8.self).split { $0 == " " || $0 == "\n" }
            .contains(Substring(controller.rawValue))
    }

    // MARK: - Security modules

    private func securityModules() -> [Finding] {
        var findings: [Finding] = []
        if let enforce = try? readFile("/sys/fs/selinux/enforce", limit: 16) {
            findings.append(
                enforce.first == UInt8(ascii: "1")
                    ? .warn(
                        """
                        SELinux enforces: a container's domain must be allowed to read fusefs_t; \
                        not tried
                        """, "see docs/operations.md; ausearch -m avc shows what is denied")
                    : .ok("SELinux is permissive"))
        }
        if let enabled = try? readFile("/sys/module/apparmor/parameters/enabled", limit: 16),
            enabled.first == UInt8(ascii: "Y")
        {
            findings.append(
                .ok("AppArmor is enabled: the engines' own profiles allow what is mounted"))
        }
        return findings
    }
}
