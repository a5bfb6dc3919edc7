import Glibc
import KernelText
import Syscalls

/// One cgroup directory, with the files read so far kept open.
///
/// Nodes are shared: containers below one parent have one node for it.
public final class CgroupNode: @unchecked Sendable {
    /// The directory, for messages.
    public let path: String
    /// The next cgroup towards the root of the hierarchy, as far as it is mounted.
    public let parent: CgroupNode?
    public let unified: Bool
    /// The root of a v1 hierarchy, where nothing can be limited: it has files like any other
    /// cgroup, which say so. (That of v2 has none.)
    let isLegacyRoot: Bool

    private let directory: FileDescriptor
    private let hugePage: String
    private let lock = Lock()
    /// Of the few attributes that have been read; guarded by `lock`.
    private var files: [(attribute: Attribute, descriptor: CInt)] = []

    private static let absent: CInt = -2

    init(
        path: String, parent: CgroupNode?, unified: Bool, hugePage: String
    ) throws(SystemError) {
        self.path = path
        self.parent = parent
        self.unified = unified
        self.hugePage = hugePage
        directory = try FileDescriptor.open(path, O_PATH | O_DIRECTORY)
        // The top of a mount need not be the root: in a cgroup namespace it may be any. Only
        // the root has this file (cgroup-v1/cgroups.rst, "release_agent").
        isLegacyRoot =
            !unified && parent == nil
            && faccessat(directory.raw, "release_agent", F_OK, 0) == 0
    }

    deinit { closeFiles() }

    /// The text of a file.
    ///
    /// - Returns: nil if this cgroup has no such file; otherwise text that is valid until
    ///   `scratch` is used again.
    /// - Throws: `ENODEV` when the cgroup has been removed.
    public func read(_ attribute: Attribute, _ scratch: Scratch) throws(SystemError) -> Bytes? {
        lock.lock()
        defer { lock.unlock() }
        let descriptor: CInt
        if let known = files.first(where: { $0.attribute == attribute }) {
            descriptor = known.descriptor
        } else {
            descriptor = try open(attribute)
            files.append((attribute, descriptor))
        }
        if descriptor == Self.absent { return nil }
        do {
            return try scratch.read(descriptor, single: true, path: name(of: attribute))
        } catch {
            // Kernels without swap accounting or PSI have the file but refuse to read it.
            if error.errno == EOPNOTSUPP || error.errno == EINVAL { return nil }
            throw error
        }
    }

    /// A file that holds one number; `max` and v1's "unlimited" are `.max`.
    public func number(
        _ attribute: Attribute, _ scratch: Scratch
    ) throws(SystemError) -> UInt64? {
        guard let text = try read(attribute, scratch) else { return nil }
        if text.starts(with: "max") || text.starts(with: "-1") { return .max }
        guard let value = parseNumber(text) else { return nil }
        // v1 shows no limit as the largest multiple of the page size in 63 bits.
        return value >= 1 << 62 ? .max : value
    }

    /// Closes what is open; it is opened again when needed.
    public func closeFiles() {
        lock.lock()
        defer { lock.unlock() }
        for file in files where file.descriptor >= 0 { close(file.descriptor) }
        files.removeAll { $0.descriptor >= 0 }
    }

    /// Whether the cgroup still exists.
    public var exists: Bool {
        faccessat(directory.raw, "cgroup.procs", F_OK, 0) == 0
    }

    /// Opens a file of this directory that is not kept open.
    func openFile(_ name: String, _ flags: CInt = O_RDONLY) throws(SystemError)
        -> FileDescriptor
    {
        try directory.open(at: name, flags)
    }

    /// Opens a file of this directory for a pressure trigger.
    func openForTrigger(
        _ attribute: Attribute, privileged: Bool
    ) throws(SystemError) -> FileDescriptor {
        let name = attribute.fileName(unified: unified, hugePage: hugePage) ?? "?"
        do {
            return try openPressure(name, ofCgroup: directory, privileged: privileged)
        } catch {
            throw SystemError("open", path + "/" + name, errno: error.errno)
        }
    }

    private func open(_ attribute: Attribute) throws(SystemError) -> CInt {
        guard let file = attribute.fileName(unified: unified, hugePage: hugePage) else {
            return Self.absent
        }
        do {
            return try directory.open(at: file).release()
        } catch {
            guard error.errno == ENOENT else {
                throw SystemError("open", path + "/" + file, errno: error.errno)
            }
            // In a removed directory nothing exists any more; that must not pass for a
            // cgroup without limits.
            guard exists else { throw SystemError("open", path + "/" + file, errno: ENODEV) }
            return Self.absent
        }
    }

    private func name(of attribute: Attribute) -> String {
        path + "/" + (attribute.fileName(unified: unified, hugePage: hugePage) ?? "?")
    }
}
