import Glibc
import Syscalls

/// Mounts virtual files over a container's own.
enum Attachment {
    /// What to do with a FUSE mount that is there already.
    enum Existing {
        case keep, replace
        /// Replace it if it is of another superblock (a dead daemon's). Where no FUSE mount is,
        /// mount nothing.
        case renew
    }

    private static let raced = "the container changes it meanwhile"

    /// - Parameter rootfs: the container's root in its mount namespace.
    static func run(
        _ sources: [Source], process: ContainerProcess, rootfs: String, existing: Existing
    ) throws(AttachError) -> [(Target, Outcome)] {
        if sources.isEmpty { return [] }
        return try process.inside { () throws(AttachError) in
            let places = try MountPlaces(rootfs: rootfs, process: process)
            let outcomes = sources.map { attach($0, places: places, existing: existing) }
            let checked = try verify(zip(sources, outcomes), places: places, process: process)
            return Array(zip(sources.map(\.target), checked))
        }
    }

    /// Takes back the mounts that do not lie where they should.
    ///
    /// move_mount(2) puts a mount on whatever lies on its target by then, or below it. After
    /// the hook has looked at the target, the container may mount a file of its own there or
    /// move away what is there. It would then have the virtual file in another place, and in
    /// every namespace that shares this place. Attempts that failed in the end may have left a
    /// mount, too.
    private static func verify(
        _ attached: some Sequence<(Source, Outcome)>, places: MountPlaces,
        process: ContainerProcess
    ) throws(AttachError) -> [Outcome] {
        let table: MountTable
        do {
            table = try process.mountTable()
        } catch {
            // Nobody knows where the mounts are: take away all. The kernel refuses that for
            // those that are mounted nowhere.
            for (source, _) in attached { try? places.unmount(source.mount, of: source.target) }
            throw .system(error)
        }
        return attached.map { source, outcome in
            guard let mount = table[source.identity.mountID] else {
                return outcome.isMounted
                    ? .failed("the container has taken it away") : outcome
            }
            do throws(AttachError) {
                if mount.parent == (try places.mountID(of: source.target.filesystem)) {
                    return outcome
                }
                try places.unmount(source.mount, of: source.target)
            } catch {
                return .failed(error.description)
            }
            return outcome.isMounted ? .failed(Self.raced) : outcome
        }
    }

    private static func attach(
        _ source: Source, places: MountPlaces, existing: Existing
    ) -> Outcome {
        do throws(AttachError) {
            guard let place = try places.place(of: source.target) else {
                return .skipped("the container has no such file")
            }
            switch (place.state, existing) {
            case (.kernel, .renew):
                return .skipped("it was not attached")
            case (.fuse, .renew) where place.identity.device == source.identity.device:
                return .present
            case (.kernel, _):
                try mount(source, over: place)
                return .attached
            case (.fuse, .keep):
                return .present
            case (.fuse, .replace), (.fuse, .renew):
                do throws(AttachError) {
                    try replace(source, place: place, places: places)
                    return .replaced
                } catch {
                    return .stuck(error.description)
                }
            case (.covered, _):
                return .skipped("something else is mounted over it")
            }
        } catch .covered(let reason) {
            return .skipped(reason)
        } catch {
            return .failed(error.description)
        }
    }

    private static func mount(
        _ source: Source, over place: MountPlaces.Place
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
        _ source: Source, place: MountPlaces.Place, places: MountPlaces
    ) throws(AttachError) {
        let path = source.target.path
        let stack = places.mounts.stack(from: place.identity.mountID)
        let filesystem = source.target.filesystem
        guard stack.below == (try places.mountID(of: filesystem)) else {
            throw .refused("below its FUSE mount is something other than \(filesystem)")
        }
        guard stack.depth <= MountTable.stackLimit else {
            throw .refused("more than \(MountTable.stackLimit) mounts lie on it")
        }
        // Take away all but the lowest one: a mount put below that lies on the kernel's file.
        for _ in 1..<stack.depth {
            try places.unmount(try fuse(at: source.target, places: places), of: source.target)
        }
        let last = try fuse(at: source.target, places: places)
        do {
            try attachMount(source.mount, to: last.file, beneath: true, path: path)
        } catch {
            // ENOENT: the old file has lost its name, which a lookup by another process may do to
            // names that the kernel does not remember.
            guard error.errno == EINVAL || error.errno == ENOENT else { throw .system(error) }
            // Linux before 6.5 cannot mount below: for a moment readers see the host's file.
            try places.unmount(last, of: source.target)
            guard let bare = try places.place(of: source.target), bare.state == .kernel
            else { throw .refused(Self.raced) }
            return try mount(source, over: bare)
        }
        try places.unmount(last, of: source.target)
        // What is on top now must be the mount that was made.
        guard let top = try places.place(of: source.target),
            top.identity.mountID == source.identity.mountID
        else { throw .refused(Self.raced) }
    }

    private static func fuse(
        at target: Target, places: MountPlaces
    ) throws(AttachError) -> MountPlaces.Place {
        guard let place = try places.place(of: target), place.state == .fuse else {
            throw .refused(Self.raced)
        }
        return place
    }
}
