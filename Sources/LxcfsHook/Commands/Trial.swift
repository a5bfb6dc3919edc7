import Cgroups
import Control
import Glibc
import Syscalls

/// Tries it: a process with a mount namespace and a cgroup of its own is attached to, and reads
/// how much memory it has. Whatever comes of it, nothing of that is left.
struct Trial {
    let options: Options

    /// What the process may have, in bytes.
    private static let limit = 64 << 20
    private static let prefix = "lxcfs-hook-check."
    /// What the two processes say when the other one is to go on.
    private static let word = "go"

    private struct Fault: Error {
        let finding: Finding
    }

    func findings() -> [Finding] {
        // Ctrl-C must not leave a cgroup behind. All that is waited for has a limit.
        let blocked = BlockedSignals()
        defer { blocked.restore() }
        do {
            let cgroup = try makeCgroup()
            defer { Self.remove(cgroup) }
            let seen = try run(in: cgroup)
            return [Self.verdict(seen)]
        } catch {
            guard let fault = error as? Fault else {
                return [.fail("tried, and failed: \(error)")]
            }
            return [fault.finding]
        }
    }

    private static func verdict(_ line: String) -> Finding {
        let words = line.split(separator: " ")
        let kibibytes = words.count > 1 && words[0] == "MemTotal:" ? Int(words[1]) : nil
        if kibibytes == limit >> 10 {
            return .ok("tried: a process with \(limit >> 20) MB sees \(limit >> 20) MB")
        }
        let amount = kibibytes.map { "\($0 >> 10) MB" } ?? line.debugDescription
        return .fail("tried: a process with \(limit >> 20) MB sees \(amount)")
    }

    // MARK: - The cgroup

    private func makeCgroup() throws -> String {
        let mounts = try readFile("/proc/self/mountinfo").withUnsafeBufferPointer {
            CgroupMounts(mountinfo: $0)
        }
        let parent: String
        let file: String
        if let mount = mounts.legacy(.memory) {
            (parent, file) = (mount.mountPoint, "memory.limit_in_bytes")
        } else if let mount = mounts.unified {
            let control = mount.mountPoint + "/cgroup.subtree_control"
            let enabled = try String(decoding: readFile(control, limit: 4096), as: UTF8.self)
            guard enabled.split(whereSeparator: { $0 == " " || $0 == "\n" }).contains("memory")
            else {
                throw Fault(
                    finding: .warn("not tried: \(control) does not name memory"))
            }
            (parent, file) = (mount.mountPoint, "memory.max")
        } else {
            throw Fault(finding: .warn("not tried: there is no memory cgroup"))
        }
        Self.removeLeftovers(in: parent)
        let cgroup = "\(parent)/\(Self.prefix)\(getpid())"
        try makeDirectory(cgroup, mode: 0o755)
        do {
            let path = "\(cgroup)/\(file)"
            try FileDescriptor.open(path, O_WRONLY).write("\(Self.limit)".utf8, path: path)
        } catch {
            rmdir(cgroup)
            throw error
        }
        return cgroup
    }

    /// Those of a check that was killed. What is in use stays.
    private static func removeLeftovers(in parent: String) {
        let items = try? FileDescriptor.open(parent, O_RDONLY | O_DIRECTORY).list()
        for item in items ?? [] where item.name.hasPrefix(prefix) {
            rmdir("\(parent)/\(item.name)")
        }
    }

    private static func remove(_ cgroup: String) {
        // The kernel takes a moment to see that the last process is gone.
        for _ in 0..<200 where rmdir(cgroup) != 0 && errno == EBUSY { usleep(10_000) }
    }

    // MARK: - The process

    private func run(in cgroup: String) throws -> String {
        let (own, other) = try MessageSocket.pair()
        let socket = MessageSocket(FileDescriptor(owning: own))
        // In the copy of this process its own copy of the number.
        let process = try ForkedProcess {
            Self.live(in: cgroup, MessageSocket(FileDescriptor(owning: other)))
        }
        close(other)
        defer {
            process.kill()
            _ = try? process.wait()
        }
        let ready = try Self.receive(from: socket)
        guard ready == Self.word else { throw Fault(finding: .warn("not tried: \(ready)")) }
        let id = Self.prefix + "\(getpid())"
        var messages: [String] = []
        let log = Log(level: .warning) { messages.append($1) }
        var options = options
        // Only this program itself could interfere; and it is in most cgroups of the process.
        options.freezes = false
        let result = Watch(options: options, log: log, kind: .command).run { log, _ in
            var runner = CommandRunner(options: options, log: log)
            return runner.attach(pid: process.pid, id: id)
        }
        defer {
            Registration(origin: options.origin, id: id).withdraw(pid: process.pid, log: log)
        }
        guard result.code == .success else {
            let reason = messages.isEmpty ? "it was not done" : messages.joined(separator: "; ")
            throw Fault(finding: .fail("tried, and could not attach: \(reason)"))
        }
        try socket.send(Array(Self.word.utf8))
        return try Self.receive(from: socket)
    }

    private static func receive(from socket: borrowing MessageSocket) throws -> String {
        var entry = pollfd(fd: socket.descriptor.raw, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 5000) > 0 else {
            throw Fault(finding: .fail("tried, and a process did not answer within 5 s"))
        }
        guard let message = try socket.receive() else {
            throw Fault(finding: .fail("tried, and a process ended too early"))
        }
        return String(decoding: message.bytes, as: UTF8.self)
    }

    /// What the process does: says that it is ready, or why not, and reads when it is told to.
    private static func live(in cgroup: String, _ socket: borrowing MessageSocket) -> CInt {
        func say(_ text: String) -> Bool { (try? socket.send(Array(text.utf8))) != nil }
        do {
            let path = cgroup + "/cgroup.procs"
            try FileDescriptor.open(path, O_WRONLY).write("0".utf8, path: path)
            try copyMountNamespace()
            try makeAllPrivate("/")
            guard say(word) else { return 1 }
            _ = try socket.receive()
            let content = try readFile("/proc/meminfo", limit: 1 << 16)
            let line = content.prefix { $0 != UInt8(ascii: "\n") }
            return say(String(decoding: line, as: UTF8.self)) ? 0 : 1
        } catch {
            return say("\(error)") ? 0 : 1
        }
    }
}

/// SIGINT, SIGTERM and SIGHUP wait until `restore`.
private struct BlockedSignals {
    private var before = sigset_t()

    init() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        sigprocmask(SIG_BLOCK, &signals, &before)
    }

    func restore() {
        var before = before
        sigprocmask(SIG_SETMASK, &before, nil)
    }
}
