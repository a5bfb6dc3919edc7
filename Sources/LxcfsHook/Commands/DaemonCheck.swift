import Control
import Glibc
import KernelText
import Syscalls

/// Whether the daemon answers and serves, and whether it is it that containers are shown.
struct DaemonCheck {
    let options: Options
    /// Where both lxcfsd and lxcfs serve unless told otherwise.
    private static let usualMountpoint = "/var/lib/lxcfs"
    private let reply: Result<Reply, ControlError>?

    init(options: Options) {
        self.options = options
        guard case .daemon(let directory) = options.origin else {
            reply = nil
            return
        }
        do {
            let client = ControlClient(socket: Defaults.controlSocket(in: directory))
            reply = .success(try client.send(Request(.status)))
        } catch {
            reply = .failure(error)
        }
    }

    /// Whether there is a daemon that answers.
    var answers: Bool {
        guard case .success(let reply) = reply else { return false }
        return reply.status != nil
    }

    func findings() -> [Finding] {
        guard case .daemon(let directory) = options.origin else {
            guard case .lxcfs(let root) = options.origin else { return [] }
            return Self.files(at: root) + foreignUnit()
        }
        let socket = Defaults.controlSocket(in: directory)
        switch reply {
        case .success(let reply):
            guard let status = reply.status else {
                return [.fail("\(socket): the daemon's answer has no status")]
            }
            return [Self.version(status)] + served(at: status.mountpoint) + foreignUnit()
        case .failure(let error):
            return [Self.unanswered(error)] + Self.foreign(at: Self.usualMountpoint)
                + foreignUnit()
        case nil: return []
        }
    }

    private static func unanswered(_ error: ControlError) -> Finding {
        guard case .absent(let reason) = error, reason.errno != EACCES, reason.errno != EPERM
        else {
            return .fail(error.description)
        }
        return .fail("the daemon is not running: \(reason)", "systemctl start lxcfsd")
    }

    private static func version(_ status: DaemonStatus) -> Finding {
        let text = """
            lxcfsd \(status.version) answers: \(status.containers) containers, cgroup \
            \(status.cgroupVersion)
            """
        if status.passesThrough == true {
            return .warn(
                text + "; it shows containers the host",
                "kill -USR2 \(status.pid) ends that")
        }
        if status.version != Control.version {
            return .warn(
                text + ", but this hook is of version \(Control.version)",
                "systemctl reload lxcfsd")
        }
        return .ok(text)
    }

    // MARK: - What is mounted

    /// The daemon has mounted there; somebody else may have since.
    private func served(at mountpoint: String) -> [Finding] {
        let mounts = Self.mounts(at: mountpoint)
        if let top = mounts.last, !Self.isOurs(mountpoint) {
            return [
                .fail(
                    "\(mountpoint) is another daemon's (\(top)), mounted over lxcfsd's files",
                    "systemctl disable --now lxcfs; then systemctl restart lxcfsd")
            ]
        }
        if mounts.isEmpty {
            return [
                .fail(
                    "nothing is mounted on \(mountpoint), where lxcfsd serves",
                    "systemctl restart lxcfsd")
            ]
        }
        let below = mounts.dropLast().filter { $0.hasPrefix("fuse") }
        return Self.files(at: mountpoint)
            + below.map { type in
                .warn(
                    """
                    another daemon (\(type)) has mounted on \(mountpoint) before lxcfsd: with lxcfsd's \
                    end, containers are shown its files
                    """, "systemctl disable --now lxcfs")
            }
    }

    /// Another's files where ours would be.
    private static func foreign(at mountpoint: String) -> [Finding] {
        guard let top = mounts(at: mountpoint).last, top.hasPrefix("fuse"), !isOurs(mountpoint)
        else { return [] }
        return [
            .fail(
                "stock lxcfs has \(mountpoint) (\(top))",
                "systemctl disable --now lxcfs, or lxcfs-hook with --lxcfs-root \(mountpoint)")
        ]
    }

    /// The types of what is mounted at a place, the one that is seen last.
    private static func mounts(at mountpoint: String) -> [String] {
        guard let path = try? resolvePath(mountpoint),
            let text = try? readFile("/proc/self/mountinfo")
        else { return [] }
        return text.withUnsafeBufferPointer { text in
            Mountinfo(text).compactMap { mount in
                Mountinfo.unescaped(mount.point) == path
                    ? mount.filesystem?.type.string : nil
            }
        }
    }

    /// lxcfs has no such directory at the top.
    private static func isOurs(_ mountpoint: String) -> Bool {
        var status = stat()
        return lstat(mountpoint + "/.opens", &status) == 0
    }

    /// A unit that would start lxcfs at the next boot.
    private func foreignUnit() -> [Finding] {
        let directory = "/etc/systemd/system"
        let isEnabled = ["multi-user.target.wants", "default.target.wants"].contains {
            var status = stat()
            return lstat("\(directory)/\($0)/lxcfs.service", &status) == 0
        }
        guard isEnabled else { return [] }
        return [
            .warn(
                "lxcfs.service is enabled: after a boot, stock lxcfs takes /var/lib/lxcfs",
                "systemctl disable --now lxcfs")
        ]
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
