import Glibc
import Syscalls

/// The mount namespaces in which processes of this machine are, but for the hook's own.
struct MountNamespaces {
    /// One process for each.
    let processes: [(pid: Int32, namespace: FileIdentity)]

    /// Processes that end meanwhile are passed over.
    ///
    /// - Parameter proc: a procfs.
    init(proc: String = "/proc") throws(SystemError) {
        let own = try Self.namespace(of: "self", proc)
        var first: [(pid: Int32, namespace: FileIdentity)] = []
        // mountinfo leaves out what a process cannot reach from its root directory, so that of one
        // in a chroot is the second choice.
        var places: [Key: Int] = [:]
        var isWhole: [Bool] = []
        for pid in try Self.pids(proc) {
            guard let namespace = try? Self.namespace(of: "\(pid)", proc),
                !namespace.isSameFile(as: own)
            else { continue }
            let key = Key(namespace)
            if let place = places[key] {
                if isWhole[place] || !Self.hasWholeRoot(pid, proc) { continue }
                first[place].pid = pid
                isWhole[place] = true
            } else {
                places[key] = first.count
                first.append((pid, namespace))
                isWhole.append(Self.hasWholeRoot(pid, proc))
            }
        }
        processes = first
    }

    private struct Key: Hashable {
        let inode: UInt64
        let device: DeviceNumber

        init(_ identity: FileIdentity) {
            inode = identity.inode
            device = identity.device
        }
    }

    /// The mount namespace of process `name`.
    static func namespace(
        of name: String, _ proc: String = "/proc"
    ) throws(SystemError) -> FileIdentity {
        let path = "\(proc)/\(name)/ns/mnt"
        return try FileDescriptor.open(path).identity(path: path)
    }

    private static func hasWholeRoot(_ pid: Int32, _ proc: String) -> Bool {
        guard let directory = try? FileDescriptor.open("\(proc)/\(pid)", O_PATH | O_DIRECTORY)
        else { return false }
        return (try? directory.readLink(at: "root")) == "/"
    }

    private static func pids(_ proc: String) throws(SystemError) -> [Int32] {
        guard let directory = opendir(proc) else {
            throw SystemError("list", proc, errno: errno)
        }
        defer { closedir(directory) }
        var pids: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = Int32(name), pid > 0 { pids.append(pid) }
        }
        return pids.sorted()
    }
}
