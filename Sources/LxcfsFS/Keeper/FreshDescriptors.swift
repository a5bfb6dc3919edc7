import Glibc
import LxcfsHandover
import Syscalls

/// What a keeper makes that takes nothing over from another one: it mounts the first
/// connection and listens on its sockets.
struct FreshDescriptors: ~Copyable {
    let store: DescriptorStore
    /// The mount of the second connection, still nowhere.
    let callersMount: FileDescriptor

    /// - Parameter kept: what workers of an earlier keeper have had kept.
    /// - Throws: `SystemError`, `DaemonError`.
    static func make(
        _ options: DaemonOptions, kept: KeptDescriptors
    ) throws -> FreshDescriptors {
        let memory = HeldDescriptor(try HandoverMemory.make(options))
        let containers = try Mounts.connect(
            readOnly: true, options: options.mountOptions, at: options.mountPoint)
        let callers = try Mounts.connect(
            readOnly: false, options: options.mountOptions, at: options.mountPoint)
        try attachMount(containers.mount, at: options.mountPoint)
        let control = try listen(options.directory.controlSocket, options)
        let seccomp = try listen(options.directory.seccompSocket, options)
        let containersDevice = HeldDescriptor(try containers.device.duplicate())
        let callersDevice = HeldDescriptor(try callers.device.duplicate())
        let store = DescriptorStore(kept: kept) { descriptor in
            switch descriptor {
            case .containers: containersDevice
            case .callers: callersDevice
            case .control: control
            case .seccomp: seccomp
            case .memory: memory
            }
        }
        return FreshDescriptors(
            store: store, callersMount: try callers.mount.duplicate())
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
            try? detachMount(at: options.mountPoint)
            throw error
        }
    }

    static func removeSockets(_ options: DaemonOptions) {
        unlink(options.directory.controlSocket)
        unlink(options.directory.seccompSocket)
    }
}
