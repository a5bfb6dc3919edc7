import Glibc
import Syscalls

/// The virtual files of one container, as the daemon or lxcfs serves them on the host.
struct SourceTree {
    /// The directory that has `proc` and `sys`.
    let path: String

    /// - Throws: if nothing of FUSE is there, or its server is dead.
    init(path: String) throws(AttachError) {
        self.path = path
        let kind: FilesystemKind
        do {
            kind = try FilesystemKind.of(path: path)
        } catch {
            throw .system(error)
        }
        guard kind == .fuse else {
            throw .refused("\(path) is not served by lxcfs: it is on \(kind)")
        }
    }

    /// Copies the mounts of the files that `targets` need, ready to be attached. Files that
    /// the server does not have are left out.
    func prepare(_ targets: [Target], log: Log) -> (sources: [Source], failures: [Failure]) {
        var sources: [Source] = []
        var failures: [Failure] = []
        // Every superblock is asked only once what it is.
        var known: Set<DeviceNumber> = []
        for target in targets.map(available) {
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
        if target != .cpuDirectory { return target }
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
            let mount = try cloneMount(path)
            let identity = try mount.identity(path: path)
            if !known.contains(identity.device) {
                // runc's CVE-2025-31133: a source that is not what it is thought to be.
                let kind = try FilesystemKind.of(mount, path: path)
                guard kind == .fuse else {
                    throw AttachError.refused("\(path) is on \(kind), not served by lxcfs")
                }
                known.insert(identity.device)
            }
            try isolateMount(
                mount, [.readOnly, .noSetuid, .noDevices, .noExec], path: path)
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
