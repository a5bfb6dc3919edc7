import Cgroups
import Control
import Glibc
import JSON
import Syscalls

/// What is remembered of a registered container across the life of the daemon: one small
/// file each in `<runtime directory>/containers`, written as a whole or not at all.
struct ContainerState: Fields {
    var id = ""
    var slot: UInt32 = 0
    var pid: Int32 = 0
    /// Nanoseconds since boot.
    var startTime: UInt64 = 0
    /// Nanoseconds; not in the files of versions before 0.2.
    var suspendedBefore: UInt64?
    var cpus = CPUView.quota
    /// By v1 controller.
    var legacyCgroups: [String: String] = [:]
    var unifiedCgroup: String?

    init() {}

    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("id", &id)
        try fields.required("slot", &slot)
        try fields.required("pid", &pid)
        try fields.required("startTime", &startTime)
        try fields.optional("suspendedBefore", &suspendedBefore)
        try fields.required("cpus", &cpus)
        try fields.required("legacyCgroups", &legacyCgroups)
        try fields.optional("unifiedCgroup", &unifiedCgroup)
    }

    init(_ container: Container) {
        id = container.id
        slot = container.slot
        pid = container.pid
        startTime = container.startTime
        suspendedBefore = container.suspendedBefore
        cpus = container.cpuView
        legacyCgroups = Dictionary(
            uniqueKeysWithValues: container.cgroups.paths.legacy.map { ($0.rawValue, $1) })
        unifiedCgroup = container.cgroups.paths.unified
    }

    var cgroups: CgroupPaths {
        var legacy: [Controller: String] = [:]
        for (name, path) in legacyCgroups {
            if let controller = Controller(rawValue: name) { legacy[controller] = path }
        }
        return CgroupPaths(legacy: legacy, unified: unifiedCgroup)
    }
}

/// The state files of all containers.
struct StateDirectory: Sendable {
    /// `<runtime directory>/containers`.
    let path: String

    /// Creates the directory if need be; only root may look inside.
    func prepare() throws(SystemError) { try makeDirectory(path, mode: 0o700) }

    private func removeFile(_ path: String) throws(SystemError) {
        if unlink(path) != 0, errno != ENOENT {
            throw SystemError("remove", path, errno: errno)
        }
    }

    /// Writes the state of one container atomically.
    func write(_ state: ContainerState) throws(SystemError) {
        try replaceFile(file(of: state.id), with: encodeLine(state))
    }

    /// Removes the state of one container; it is no error if there is none.
    func remove(id: String) throws(SystemError) {
        try removeFile(file(of: id))
    }

    /// What there is to read of a state directory.
    struct Content {
        /// With the names of their files.
        var states: [(ContainerState, String)] = []
        /// The inodes of all files, by name.
        var present: [String: UInt64] = [:]
        /// What is wrong with the files that cannot be read.
        var complaints: [String] = []
    }

    static func id(ofFile name: String) -> String { String(name.dropLast(".json".count)) }

    /// Everything that can be read.
    ///
    /// - Parameter known: files, with their inodes, that need not be read.
    func read(except known: [String: UInt64] = [:]) throws(SystemError) -> Content {
        var content = Content()
        for item in try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY).list()
        where item.isRegularFile {
            let name = path + "/" + item.name
            // Half-written, by a worker that has died or just now.
            if item.name.hasPrefix(".") { continue }
            content.present[item.name] = item.inode
            if known[item.name] == item.inode { continue }
            do {
                let text = try readFile(name, limit: 1 << 20)
                let state = try ContainerState(JSONText(text, keepsUnknown: false).root)
                content.states.append((state, item.name))
            } catch {
                content.complaints.append("\(name): \(error)")
            }
        }
        return content
    }

    /// Removes what a worker that has died has half-written.
    func sweep() throws(SystemError) {
        for item in try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY).list()
        where item.name.hasPrefix(".") { unlink(path + "/" + item.name) }
    }

    private func file(of id: String) -> String { path + "/" + id + ".json" }
}

/// mkdir(2); it is no error if the directory exists.
func makeDirectory(_ path: String, mode: mode_t) throws(SystemError) {
    if mkdir(path, mode) == 0 { return }
    let code = errno
    guard code == EEXIST else { throw SystemError("make directory", path, errno: code) }
    let existing = try FileDescriptor.open(path, O_PATH | O_NOFOLLOW).status(path: path)
    guard existing.st_mode & S_IFMT == S_IFDIR else {
        throw SystemError("use as a directory", path, errno: ENOTDIR)
    }
}

/// Writes a file that only root may read, as a whole or not at all.
func replaceFile(_ path: String, with content: [UInt8]) throws(SystemError) {
    let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let temporary = path[..<slash] + "." + path[slash...]
    let descriptor = try FileDescriptor.open(
        String(temporary), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
    do {
        try descriptor.write(content, path: String(temporary))
    } catch {
        unlink(String(temporary))
        throw error
    }
    if rename(String(temporary), path) != 0 {
        let code = errno
        unlink(String(temporary))
        throw SystemError("replace", path, errno: code)
    }
}
