import Glibc
import Syscalls

/// The virtual files of one container, as the daemon or lxcfs serves them on the host.
struct SourceTree: ~Copyable {
    /// The directory that has `proc` and `sys`.
    let path: String
    /// The same, so that each file costs one look at its name and not at those above it.
    private let directory: FileDescriptor
    private let isOfDaemon: Bool

    /// - Parameter origin: who serves it.
    /// - Throws: if nothing of FUSE is there, or its server is dead.
    init(path: String, _ origin: Origin) throws(AttachError) {
        if case .daemon = origin { isOfDaemon = true } else { isOfDaemon = false }
        directory = try Self.open(path)
        self.path = path
    }

    private static func open(_ path: String) throws(AttachError) -> FileDescriptor {
        do {
            let directory = try FileDescriptor.open(path, O_PATH | O_DIRECTORY)
            let kind = try FilesystemKind.of(directory, path: path)
            guard kind == .fuse else {
                throw AttachError.refused("\(path) is not served by lxcfs: it is on \(kind)")
            }
            return directory
        } catch {
            throw AttachError(error)
        }
    }

    /// Copies the mounts of the files that `targets` need, ready to be attached. Files that
    /// the server does not have are left out.
    func prepare(_ targets: [Target], log: Log) -> (sources: [Source], failures: [Failure]) {
        var sources: [Source] = []
        var failures: [Failure] = []
        // Every superblock is asked only once what it is.
        var known: Set<DeviceNumber> = []
        for wanted in targets {
            let target = available(wanted)
            do throws(AttachError) {
                sources.append(try source(for: target, known: &known))
            } catch {
                if case .system(let cause) = error, cause.errno == ENOENT {
                    log.debug("\(target): \(path) has no such file")
                } else {
                    failures.append(Failure(target: target, reason: error.description))
                }
            }
        }
        return (sources, failures)
    }

    /// Some versions of lxcfs serve files in the directory of CPUs without listing it.
    private func available(_ target: Target) -> Target {
        if target != .cpuDirectory || isOfDaemon { return target }
        guard let directory = opendir(path + target.path) else { return target }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { return target }
        }
        return .cpuOnline
    }

    private func source(
        for target: Target, known: inout Set<DeviceNumber>
    ) throws(AttachError) -> Source {
        let path = path + target.path
        do {
            let mount = try cloneMount(String(target.path.dropFirst()), in: directory)
            let identity = try mount.identity(path: path)
            if !known.contains(identity.device) {
                // runc's CVE-2025-31133: a source that is not what it is thought to be.
                let kind = try FilesystemKind.of(mount, path: path)
                guard kind == .fuse else {
                    throw AttachError.refused("\(path) is on \(kind), not served by lxcfs")
                }
                known.insert(identity.device)
            }
            var attributes: MountAttributes = [.noSetuid, .noDevices, .noExec]
            if !target.isWritable { attributes.insert(.readOnly) }
            try isolateMount(mount, attributes, path: path)
            return Source(target: target, mount: mount, identity: identity)
        } catch {
            throw AttachError(error)
        }
    }
}

/// A detached mount of one virtual file.
final class Source {
    let target: Target
    let mount: FileDescriptor
    let identity: FileIdentity

    init(target: Target, mount: consuming FileDescriptor, identity: FileIdentity) {
        self.target = target
        self.mount = mount
        self.identity = identity
    }
}

/// A file that could not be mounted.
struct Failure: Equatable, CustomStringConvertible {
    let target: Target
    let reason: String

    var description: String { "\(target): \(reason)" }
}
