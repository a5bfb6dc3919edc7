import Control
import Glibc
import JSON
import Syscalls

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
    ///
    /// - Parameter key: see ``ContainerKey``.
    func remove(key: String) throws(SystemError) {
        try removeFile(file(of: key))
    }

    /// - Parameter name: as ``Content/present`` has it.
    func remove(file name: String) throws(SystemError) { try removeFile(path + "/" + name) }

    /// What there is to read of a state directory.
    struct Content {
        /// With the names of their files.
        var states: [(ContainerState, String)] = []
        /// The inodes of all files, by name.
        var present: [String: UInt64] = [:]
        /// What is wrong with the files that cannot be read.
        var complaints: [String] = []
    }

    /// Everything that can be read.
    ///
    /// - Parameter known: files, with their inodes, that need not be read.
    func read(except known: [String: UInt64] = [:]) throws(SystemError) -> Content {
        var content = Content()
        for item in try list() where item.isRegularFile {
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
        for item in try list() where item.name.hasPrefix(".") {
            unlink(path + "/" + item.name)
        }
    }

    /// Nothing if somebody has removed the directory.
    private func list() throws(SystemError) -> [DirectoryItem] {
        do {
            return try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY).list()
        } catch {
            if error.errno == ENOENT { return [] }
            throw error
        }
    }

    /// The name of the file of a container.
    ///
    /// - Parameter key: see ``ContainerKey``.
    static func file(of key: String) -> String { key + ".json" }

    private func file(of key: String) -> String { path + "/" + Self.file(of: key) }
}
