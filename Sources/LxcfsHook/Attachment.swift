import Glibc
import Syscalls

/// What became of one file.
enum Outcome: Equatable {
    case attached
    /// Attached instead of an older mount, live or dead.
    case replaced
    /// A FUSE file is there already and was left.
    case present
    /// Nothing to do: the container has no such file, or a mount of its own there.
    case skipped(String)
    case failed(String)
}

/// Mounts virtual files over a container's own.
struct Attachment {
    /// What to do where FUSE is mounted already.
    enum Policy {
        case keep, replace
    }

    /// More mounts on one file than this are not a leftover but an attack.
    static let stackLimit = 16

    /// - Parameter rootfs: the container's root in its mount namespace.
    static func run(
        _ sources: [Source], process: ContainerProcess, rootfs: String,
        existing: Policy
    ) throws(AttachError) -> [(Target, Outcome)] {
        try process.inside { inside throws(AttachError) in
            let files = try ContainerFiles(rootfs: rootfs)
            let mounts: MountTable
            do {
                mounts = try inside.mountTable()
            } catch {
                throw AttachError(error)
            }
            var outcomes: [(Target, Outcome)] = []
            for source in sources {
                outcomes.append(
                    (
                        source.target,
                        attach(
                            source, files: files, mounts: mounts, inside: inside,
                            existing: existing)
                    ))
            }
            return outcomes
        }
    }

    private static func attach(
        _ source: Source, files: ContainerFiles, mounts: MountTable,
        inside: ContainerProcess, existing: Policy
    ) -> Outcome {
        do throws(AttachError) {
            guard let place = try files.place(of: source.target, mounts: mounts) else {
                return .skipped("the container has no such file")
            }
            switch (place.state, existing) {
            case (.kernel, _):
                try mount(source, over: place)
                return .attached
            case (.fuse, .keep):
                return .present
            case (.fuse, .replace):
                try replace(
                    source, place: place, files: files, mounts: mounts, inside: inside)
                return .replaced
            case (.covered, _):
                return .skipped("something else is mounted over it")
            }
        } catch {
            return .failed(error.description)
        }
    }

    private static func mount(
        _ source: Source, over place: ContainerFiles.Place
    ) throws(AttachError) {
        guard place.identity.kind == source.identity.kind else {
            throw .refused("one of it and the virtual file is a directory")
        }
        do {
            try attachMount(source.mount, to: place.file, path: source.target.path)
        } catch {
            throw .system(error)
        }
    }

    /// Puts the new mount below the old one, then takes that away, so that no reader sees
    /// the host's file in between.
    private static func replace(
        _ source: Source, place: ContainerFiles.Place, files: ContainerFiles,
        mounts: MountTable, inside: ContainerProcess
    ) throws(AttachError) {
        let path = source.target.path
        let stack = mounts.stack(from: place.identity.mountID)
        let filesystem = source.target.filesystem
        guard stack.below == (try files.mountID(of: filesystem, mounts: mounts)) else {
            throw .refused("below its FUSE mount is something other than \(filesystem)")
        }
        guard stack.depth <= stackLimit else {
            throw .refused("more than \(stackLimit) mounts lie on it")
        }
        do {
            // Down to the lowest one: what is put below that one is put on the kernel's.
            if stack.depth > 1 {
                try inside.unmount(place.file, path: path)
                for _ in 2..<stack.depth {
                    let next = try fuse(at: source.target, files: files, mounts: mounts)
                    try inside.unmount(next.file, path: path)
                }
            }
            let last = try fuse(at: source.target, files: files, mounts: mounts)
            do {
                try attachMount(source.mount, to: last.file, beneath: true, path: path)
            } catch {
                guard error.errno == EINVAL else { throw error }
                // Linux before 6.5: there is a moment with the host's file.
                try inside.unmount(last.file, path: path)
                guard let bare = try files.place(of: source.target, mounts: mounts),
                    bare.state == .kernel
                else { throw AttachError.refused("the container changes it meanwhile") }
                return try mount(source, over: bare)
            }
            try inside.unmount(last.file, path: path)
        } catch {
            throw AttachError(error)
        }
        // What is on top now must be the mount that was made.
        guard let top = try files.place(of: source.target, mounts: mounts),
            top.identity.mountID == source.identity.mountID
        else { throw .refused("the container mounts over it meanwhile") }
    }

    private static func fuse(
        at target: Target, files: ContainerFiles, mounts: MountTable
    ) throws(AttachError) -> ContainerFiles.Place {
        guard let place = try files.place(of: target, mounts: mounts), place.state == .fuse
        else { throw .refused("the container changes it meanwhile") }
        return place
    }
}
