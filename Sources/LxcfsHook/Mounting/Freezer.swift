import Cgroups
import Glibc
import KernelText
import Syscalls

/// Stops all processes of a running container for a moment.
///
/// Between the hook's look at a place and its mounting there, none of them can then change the
/// place. A helper process thaws them, even if the hook is killed meanwhile.
struct Freezer: ~Copyable {
    /// The directory of the cgroup.
    let path: String
    private let kind: Kind
    private let directory: FileDescriptor

    private enum Kind {
        /// The kernel's cgroup-v1/freezer-subsystem.rst.
        case legacy
        /// cgroup-v2.rst, `cgroup.freeze`.
        case unified

        var file: String { self == .legacy ? "freezer.state" : "cgroup.freeze" }
        var frozen: String { self == .legacy ? "FROZEN" : "1" }
        var thawed: String { self == .legacy ? "THAWED" : "0" }
        /// The line by which the kernel says that everything has stopped, and its file.
        var status: (file: String, line: String) {
            self == .legacy ? (file, frozen) : ("cgroup.events", "frozen 1")
        }
    }

    /// What can be frozen of a container, or why nothing can.
    enum Search: ~Copyable {
        case found(Freezer)
        case none(String)
    }

    /// How long the container's processes may take to stop, in nanoseconds.
    private static let patience: UInt64 = 1_000_000_000

    /// How long it is frozen at most, in milliseconds. What is to be mounted meanwhile may wait for
    /// a server of the container's own, which is frozen, too.
    static let longest: CInt = 5000

    static func find(for process: ContainerProcess) throws(AttachError) -> Search {
        switch try place(for: process) {
        case .nowhere(let reason): return .none(reason)
        case .cgroup(let path, let kind):
            do {
                let directory = try FileDescriptor.open(path, O_PATH | O_DIRECTORY)
                return .found(Freezer(path: path, kind: kind, directory: directory))
            } catch {
                throw .system(error)
            }
        }
    }

    private enum Place {
        case cgroup(String, Kind)
        case nowhere(String)
    }

    private static func place(for process: ContainerProcess) throws(AttachError) -> Place {
        let mounts: CgroupMounts
        let own: CgroupPaths
        let paths: CgroupPaths
        do {
            mounts = try readFile("/proc/self/mountinfo")
                .withUnsafeBufferPointer { CgroupMounts(mountinfo: $0) }
            own = try readFile("/proc/self/cgroup")
                .withUnsafeBufferPointer { CgroupPaths(parsing: $0) }
            paths = try process.cgroups()
        } catch {
            throw .system(error)
        }
        let legacy = paths.legacy[.freezer].map { CgroupPaths(legacy: [.freezer: $0]) }
        let unified = paths.unified.map { CgroupPaths(unified: $0) }
        var isOwn = false
        for (cgroup, mount, kind) in [
            (legacy, mounts.legacy(.freezer), Kind.legacy), (unified, mounts.unified, .unified),
        ] {
            guard let cgroup, let mount, let name = cgroup.legacy[.freezer] ?? cgroup.unified,
                mount.directory(of: name) != nil
            else { continue }
            // Freezing the hook's own cgroup would stop the hook before it has mounted.
            if cgroup.contains(own) {
                isOwn = true
                continue
            }
            let whole = try WholeCgroup(mount: mount, process: process).find(from: name)
            if let path = mount.directory(of: whole) { return .cgroup(path, kind) }
        }
        return .nowhere(
            isOwn ? "this process is in the same cgroup" : "it has no cgroup that can be frozen"
        )
    }

    /// Calls `body` while the container is frozen.
    ///
    /// A container that somebody else has frozen before stays frozen.
    ///
    /// - Throws: what `body` throws, or a refusal if a process does not stop in time or the
    ///   container cannot be thawed.
    func hold<Value>(
        _ body: () throws(AttachError) -> Value
    ) throws(AttachError) -> Value {
        if try isAsked() { return try body() }
        let thaw = try freeze()
        let result: Result<Value, AttachError>
        do throws(AttachError) {
            try wait()
            result = .success(try body())
        } catch {
            result = .failure(error)
        }
        do {
            try thaw.perform()
        } catch {
            throw .refused("the container stays frozen: \(error)")
        }
        return try result.get()
    }

    private func freeze() throws(AttachError) -> DeferredWrite {
        do {
            let path = "\(path)/\(kind.file)"
            let file = try directory.open(at: kind.file, O_WRONLY)
            let thaw = try DeferredWrite(
                kind.thawed, to: file, path: path, patience: Self.longest)
            try file.write(kind.frozen.utf8, path: path)
            return thaw
        } catch {
            throw AttachError(error)
        }
    }

    /// Whether somebody else has frozen the container.
    private func isAsked() throws(AttachError) -> Bool {
        do {
            if try has(line: kind.frozen, in: kind.file) { return true }
            return try has(kind.status)
        } catch {
            throw .system(error)
        }
    }

    private func wait() throws(AttachError) {
        let end = clampedSum(Clock.monotonic(), Self.patience)
        do {
            while try !has(kind.status) {
                guard Clock.monotonic() < end else {
                    throw AttachError.refused(
                        """
                        its processes do not freeze (\(path)), so it might change the places of \
                        the files meanwhile; --no-freeze to risk that
                        """)
                }
                var pause = timespec(tv_sec: 0, tv_nsec: 500_000)
                nanosleep(&pause, nil)
            }
        } catch {
            throw AttachError(error)
        }
    }

    private func has(_ status: (file: String, line: String)) throws(SystemError) -> Bool {
        try has(line: status.line, in: status.file)
    }

    private func has(line: String, in file: String) throws(SystemError) -> Bool {
        let text = try directory.open(at: file).readToEnd(path: "\(path)/\(file)")
        return text.split(separator: UInt8(ascii: "\n")).contains {
            $0.elementsEqual(line.utf8)
        }
    }
}
