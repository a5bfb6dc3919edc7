import Control
import Glibc
import Syscalls

/// The command `check`: finds out why containers do not get virtual files.
///
/// A missing program, for instance, makes podman silently go on without the hook.
struct Check {
    let options: Options

    func run(hookDirectories: [String]) -> ExitCode {
        let findings =
            [Self.privileges()] + Self.kernel() + policy() + origin()
            + HookDirectoryCheck(directories: hookDirectories).findings()
        for finding in findings { print(finding) }
        return findings.contains { $0.verdict == .fail } ? .failure : .success
    }

    private static func privileges() -> Finding {
        geteuid() == 0
            ? .ok("running as root") : .fail("not running as root: only root may mount")
    }

    private func policy() -> [Finding] {
        var read = options
        do throws(InputError) {
            guard let path = try PolicyFile.apply(to: &read) else { return [] }
            let annotations = read.allowedAnnotations.map {
                $0.isEmpty ? "none" : $0.joined(separator: ", ")
            }
            return [
                .ok(
                    """
                    \(path): files are \(read.isRequired ? "" : "not ")required, annotations that \
                    count: \(annotations ?? (read.isRequired ? "those that ask for more" : "all")), \
                    excuses: \(read.excuses.isEmpty
                        ? "none" : read.excuses.map(\.rawValue).joined(separator: ", "))
                    """)
            ]
        } catch {
            return [.fail("no stage is run: \(error)")]
        }
    }

    private static func kernel() -> [Finding] {
        MountFeature.allCases.map { feature in
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

    private func origin() -> [Finding] {
        switch options.origin {
        case .lxcfs(let root): return Self.files(at: root)
        case .daemon(let directory):
            let socket = Defaults.controlSocket(in: directory)
            do {
                let reply = try ControlClient(socket: socket).send(Request(.status))
                guard let status = reply.status else {
                    return [.fail("\(socket): the daemon's answer has no status")]
                }
                return [
                    .ok(
                        """
                        lxcfsd \(status.version) answers: \(status.containers) containers, \
                        cgroup \(status.cgroupVersion)
                        """)
                ] + Self.files(at: status.mountpoint)
            } catch {
                return [.fail(error.description)]
            }
        }
    }

    private static func files(at mountpoint: String) -> [Finding] {
        do {
            let kind = try FilesystemKind.of(path: mountpoint)
            guard kind == .fuse else {
                return [.fail("\(mountpoint) is on \(kind), not on FUSE")]
            }
            let path = mountpoint + "/proc/meminfo"
            let content = try readFile(path, limit: 1 << 20)
            guard content.starts(with: "MemTotal:".utf8) else {
                return [.fail("\(path) has no MemTotal")]
            }
            return [.ok("\(mountpoint) is mounted and \(path) can be read")]
        } catch {
            return [.fail(error.description)]
        }
    }
}
