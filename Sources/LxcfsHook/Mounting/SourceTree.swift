import Glibc
import Syscalls

/// The virtual files of one container, as the daemon or lxcfs serves them on the host.
struct SourceTree: ~Copyable {
    /// The directory that has `proc` and `sys` in it.
    let path: String
    /// The same directory, opened: looking up a file then asks for no name above it.
    private let directory: FileDescriptor
    /// The superblock of the directory, which is of FUSE.
    private let device: DeviceNumber
    private let isOfDaemon: Bool
    /// The files are in an ``OwnFilesystem`` of the container.
    private let isOwn: Bool

    /// - Parameter origin: who serves the files.
    /// - Throws: if `path` is not on FUSE, or its server is dead.
    init(path: String, _ origin: Origin) throws(AttachError) {
        if case .daemon = origin { isOfDaemon = true } else { isOfDaemon = false }
        let directory = try Self.open(path)
        do {
            device = try directory.identity(path: path).device
        } catch {
            throw .system(error)
        }
        self.directory = directory
        self.path = path
        isOwn = false
    }

    /// The same files in an ``OwnFilesystem`` of the container's.
    init(apart tree: borrowing SourceTree) throws(AttachError) {
        let root = try Self.own(over: tree.directory)
        do {
            device = try root.identity(path: tree.path).device
        } catch {
            throw .system(error)
        }
        directory = root
        path = tree.path
        isOfDaemon = tree.isOfDaemon
        isOwn = true
    }

    private static func own(
        over directory: borrowing FileDescriptor
    ) throws(AttachError) -> FileDescriptor {
        do {
            return try OwnFilesystem.make(over: directory)
        } catch {
            throw .system(error)
        }
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

    /// Needed before ``prepare(_:log:)`` if the files are in an ``OwnFilesystem``. See there for
    /// where to call it.
    func attach() throws(AttachError) {
        do {
            if isOwn { try OwnFilesystem.attach(directory) }
        } catch {
            throw .system(error)
        }
    }

    /// Makes a mount of each file that `targets` need, ready to be attached.
    ///
    /// Files that the server does not have are left out.
    func prepare(_ targets: [Target], log: Log) -> (sources: [Source], failures: [Failure]) {
        var sources: [Source] = []
        var failures: [Failure] = []
        sources.reserveCapacity(targets.count)
        // Files of one directory come one after the other. The directory is looked up once for
        // all: a lookup asks the server for each part of the path and each symbolic link in it.
        var parent: Parent?
        for wanted in targets {
            let target = available(wanted)
            do throws(AttachError) {
                let found = try self.directory(of: target, last: parent)
                parent = found
                sources.append(try source(for: target, in: found))
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

    /// A directory with files to mount.
    private final class Parent {
        let path: String
        let directory: FileDescriptor
        /// The superblock that was last found to be of FUSE, so as not to ask again.
        var known: DeviceNumber?

        init(path: String, directory: consuming FileDescriptor, known: DeviceNumber?) {
            self.path = path
            self.directory = directory
            self.known = known
        }
    }

    private func directory(of target: Target, last: Parent?) throws(AttachError) -> Parent {
        let path = target.servedDirectory
        if let last, last.path == path { return last }
        let place = isOwn ? OwnFilesystem.directory(path) : String(path.dropFirst())
        do {
            let found = try directory.open(at: place, O_PATH | O_DIRECTORY)
            return Parent(path: path, directory: found, known: last?.known ?? device)
        } catch {
            throw .system(error)
        }
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

    private func source(for target: Target, in parent: Parent) throws(AttachError) -> Source {
        let path = path + target.servedPath
        do {
            let mount = try cloneMount(target.name, in: parent.directory)
            let identity = try mount.identity(path: path)
            // Files of an overlay may have numbers of the layers, and lead nowhere else.
            if !isOwn, identity.device != device, identity.device != parent.known {
                // runc's CVE-2025-31133: what is mounted is not what the name promised.
                let kind = try FilesystemKind.of(mount, path: path)
                guard kind == .fuse else {
                    throw AttachError.refused("\(path) is on \(kind), not served by lxcfs")
                }
                parent.known = identity.device
            }
            var attributes: MountAttributes = [.noSetuid, .noDevices, .noExec]
            if !target.isWritable || isOwn { attributes.insert(.readOnly) }
            try isolateMount(mount, attributes, path: path)
            return Source(target: target, mount: mount, identity: identity)
        } catch {
            throw AttachError(error)
        }
    }
}
