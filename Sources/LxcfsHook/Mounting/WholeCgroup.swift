import Cgroups
import Glibc
import KernelText
import Syscalls

/// The cgroup that has all processes of a container in it, and no others.
///
/// A container that may write its cgroup moves its processes into cgroups below it, under names of
/// its choice. So it is not found by names, but by who is in it.
struct WholeCgroup {
    let mount: HierarchyMount
    let process: ContainerProcess

    /// How long may be looked for, in nanoseconds: a container may make as many cgroups as it likes.
    private static let patience: UInt64 = 500_000_000

    /// - Parameter own: the cgroup of the container's process, as `/proc/<pid>/cgroup` has it.
    /// - Throws: a refusal if there are too many cgroups to look at.
    func find(from own: String) throws(AttachError) -> String {
        // Above the first name that an engine gives to a container there are only the engine's
        // own; those below it the container may have made.
        let highest = Self.highest(own)
        if process.sharesPIDNamespace { return highest ?? own }
        let end = clampedSum(Clock.monotonic(), Self.patience)
        var found = own
        do {
            while found != highest, let parent = Self.parent(of: found) {
                switch try members(of: parent, except: found, until: end) {
                case .companions: found = parent
                case .others: return found
                case nil:
                    if let highest { return highest }
                    throw AttachError.refused(
                        """
                        there are too many cgroups beside \(found) to find out which processes \
                        might change the places of the files meanwhile; --no-freeze to risk that
                        """)
                }
            }
        } catch {
            throw AttachError(error)
        }
        return found
    }

    private enum Members {
        case companions, others
    }

    /// Who is in a cgroup or below it, but for one below it; nil if that takes too long to find out.
    private func members(
        of cgroup: String, except known: String, until end: UInt64
    ) throws(SystemError) -> Members? {
        guard let top = mount.directory(of: cgroup), let skipped = mount.directory(of: known)
        else { return .others }
        var rest = [top]
        while let path = rest.popLast() {
            guard let found = try content(of: path, until: end) else { return nil }
            if found.hasOthers { return .others }
            rest += found.children.filter { $0 != skipped }
        }
        return .companions
    }

    /// Whether others than the container are in a cgroup, and the cgroups in it; nil if that takes
    /// too long to find out.
    private func content(
        of path: String, until end: UInt64
    ) throws(SystemError) -> (hasOthers: Bool, children: [String])? {
        let pids: [Int32]
        let items: [DirectoryItem]
        do {
            let directory = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
            pids = try Self.processes(in: directory, path)
            items = try directory.list()
        } catch {
            if Self.isGone(error) { return (false, []) }
            throw error
        }
        for pid in pids {
            guard Clock.monotonic() < end else { return nil }
            if try !process.isCompanion(pid) { return (true, []) }
        }
        guard Clock.monotonic() < end else { return nil }
        return (false, items.filter(\.isDirectory).map { path + "/" + $0.name })
    }

    private static func isGone(_ error: SystemError) -> Bool {
        error.errno == ENOENT || error.errno == ENODEV
    }

    private static func processes(
        in directory: borrowing FileDescriptor, _ path: String
    ) throws(SystemError) -> [Int32] {
        let text: [UInt8]
        do {
            text = try directory.open(at: "cgroup.procs").readToEnd(
                path: path + "/cgroup.procs")
        } catch {
            // In a threaded cgroup (cgroup-v2.rst) processes cannot be listed; they are members of
            // one above it.
            if error.errno == EOPNOTSUPP { return [] }
            throw error
        }
        return text.withUnsafeBufferPointer { text in
            var lines = Scanner(text)
            var pids: [Int32] = []
            while let line = lines.line() {
                if let pid = parseNumber(line) { pids.append(Int32(clamping: pid)) }
            }
            return pids
        }
    }

    /// The next cgroup towards the root; nil if that is the root, which cannot be frozen.
    static func parent(of cgroup: String) -> String? {
        guard let slash = cgroup.utf8.lastIndex(of: UInt8(ascii: "/")),
            slash > cgroup.startIndex
        else { return nil }
        return String(cgroup[..<slash])
    }

    /// The part of a path up to the first name that an engine gives to a container.
    static func highest(_ cgroup: String) -> String? {
        var path = ""
        for name in cgroup.split(separator: "/") {
            path += "/" + name
            if ContainerID.isEngines(name) { return path }
        }
        return nil
    }
}
