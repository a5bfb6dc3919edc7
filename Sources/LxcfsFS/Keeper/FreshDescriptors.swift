import Glibc
import LxcfsHandover
import Syscalls

/// What a keeper makes that takes nothing over from another one: it mounts both connections and
/// listens on its sockets.
enum FreshDescriptors {
    /// - Parameter kept: what workers of an earlier keeper have had kept.
    /// - Throws: `SystemError`, `DaemonError`.
    static func make(
        _ options: DaemonOptions, kept: KeptDescriptors
    ) throws -> DescriptorStore {
        let memory = HeldDescriptor(try HandoverMemory.make(options))
        let containers = try Mounts.connect(
            readOnly: true, options: options.mountOptions, at: options.mountPoint)
        let callers = try Mounts.connect(
            readOnly: false, options: options.mountOptions, at: options.mountPoint)
        let control = try listen(options.directory.controlSocket, options)
        let seccomp = try listen(options.directory.seccompSocket, options)
        do {
            try attachMount(containers.mount, at: options.directory.tree)
            try attachMount(callers.mount, at: options.mountPoint)
        } catch {
            // What may be on the mountpoint is not ours.
            removeSockets(options)
            try? Mounts.clear(options.directory.tree)
            throw error
        }
        let containersDevice = HeldDescriptor(try containers.device.duplicate())
        let callersDevice = HeldDescriptor(try callers.device.duplicate())
        return DescriptorStore(kept: kept) { descriptor in
            switch descriptor {
            case .containers: containersDevice
            case .callers: callersDevice
            case .control: control
            case .seccomp: seccomp
            case .memory: memory
            }
        }
    }

    private static func listen(
        _ path: String, _ options: DaemonOptions
    ) throws(SystemError) -> HeldDescriptor {
        // Left by a daemon that was killed: ours is the pid file, so nobody serves it.
        unlink(path)
        do {
            return HeldDescriptor(try UnixSocket.listen(path, mode: 0o600, backlog: 1024))
        } catch {
            removeSockets(options)
            throw error
        }
    }

    static func removeSockets(_ options: DaemonOptions) {
        unlink(options.directory.controlSocket)
        unlink(options.directory.seccompSocket)
    }
}
