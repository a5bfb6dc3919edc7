import Control
import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// The descriptors whose loss would hurt, which the keeper holds.
struct KeeperResources: ~Copyable {
    let containers: FileDescriptor
    let callers: FileDescriptor
    let control: FileDescriptor
    /// The socket of the seccomp agent.
    let seccomp: FileDescriptor
    let memory: FileDescriptor

    /// Their names in the service manager's store.
    static let names = ["containers", "callers", "control", "seccomp", "memory"]

    var numbers: [CInt] {
        [containers.raw, callers.raw, control.raw, seccomp.raw, memory.raw]
    }

    struct Made: ~Copyable {
        let resources: KeeperResources
        /// The mount of the second connection, still nowhere.
        let callersMount: FileDescriptor
    }

    /// Makes everything anew, and mounts the first connection.
    static func make(_ options: DaemonOptions) throws(SystemError) -> Made {
        let memory = try HandoverMemory.make(options)
        let containers = try Mounts.connect(
            readOnly: true, options: options.mountOptions, at: options.mountPoint)
        let callers = try Mounts.connect(
            readOnly: false, options: options.mountOptions, at: options.mountPoint)
        try attachMount(containers.mount, at: options.mountPoint)
        let control = try listen(options.directory.controlSocket, options)
        let seccomp = try listen(options.directory.seccompSocket, options)
        let resources = KeeperResources(
            containers: try containers.device.duplicate(),
            callers: try callers.device.duplicate(), control: control, seccomp: seccomp,
            memory: memory)
        return Made(resources: resources, callersMount: try callers.mount.duplicate())
    }

    private static func listen(
        _ path: String, _ options: DaemonOptions
    ) throws(SystemError) -> FileDescriptor {
        // Left by a daemon that was killed: ours is the pid file, so nobody serves it.
        unlink(path)
        do {
            return try UnixSocket.listen(path, mode: 0o600, backlog: 1024)
        } catch {
            removeSockets(options)
            try? detachMount(at: options.mountPoint)
            throw error
        }
    }

    static func removeSockets(_ options: DaemonOptions) {
        unlink(options.directory.controlSocket)
        unlink(options.directory.seccompSocket)
    }

    /// Whether both connections still stand: nobody has unmounted or aborted them.
    var areAlive: Bool {
        [containers.raw, callers.raw].allSatisfy { number in
            var request = pollfd(fd: number, events: 0, revents: 0)
            return poll(&request, 1, 0) >= 0 && request.revents & Int16(POLLERR) == 0
        }
    }
}
