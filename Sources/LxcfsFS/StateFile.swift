import Cgroups
import Control
import FoundationEssentials
import Glibc
import Syscalls

/// What is remembered of a registered container across the life of the daemon: one small
/// file each in `<runtime directory>/containers`, written as a whole or not at all.
struct ContainerState: Codable, Equatable {
    var id: String
    var slot: UInt32
    var pid: Int32
    /// Nanoseconds since boot.
    var startTime: UInt64
    var cpus: CPUView
    /// By v1 controller.
    var legacyCgroups: [String: String]
    var unifiedCgroup: String?

    init(_ container: Container) {
        id = container.id
        slot = container.slot
        pid = container.pid
        startTime = container.startTime
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
    func prepare() throws(SystemError) {
        try makeDirectory(path, mode: 0o700)
    }

    /// Writes the state of one container atomically.
    func write(_ state: ContainerState) throws(SystemError) {
        let temporary = path + "/." + state.id
        let final = file(of: state.id)
        let descriptor = try FileDescriptor.open(
            temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        do {
            try descriptor.write(encodeLine(state), path: temporary)
        } catch {
            unlink(temporary)
            throw error
        }
        if rename(temporary, final) != 0 {
            let code = errno
            unlink(temporary)
            throw SystemError("replace", final, errno: code)
        }
    }

    /// Removes the state of one container; it is no error if there is none.
    func remove(id: String) throws(SystemError) {
        if unlink(file(of: id)) != 0, errno != ENOENT {
            throw SystemError("remove", file(of: id), errno: errno)
        }
    }

    /// Everything that can be read, and what is wrong with the rest.
    func readAll() throws(SystemError) -> (states: [ContainerState], complaints: [String]) {
        var states: [ContainerState] = []
        var complaints: [String] = []
        for item in try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY).list()
        where item.isRegularFile {
            let name = path + "/" + item.name
            // Half-written when the daemon died.
            if item.name.hasPrefix(".") {
                unlink(name)
                continue
            }
            do {
                let text = try readFile(name, limit: 1 << 20)
                states.append(
                    try JSONDecoder().decode(ContainerState.self, from: Data(text)))
            } catch {
                complaints.append("\(name): \(error)")
            }
        }
        return (states, complaints)
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
