import Control
import Glibc
import Syscalls

/// A filesystem of the container's own in which its virtual files are: overlayfs, with what the
/// daemon serves as the layer below.
///
/// All files of the daemon are of two FUSE superblocks, and some things are done to a superblock as
/// a whole. Whoever has CAP_SYS_ADMIN in the host's user namespace and one file of it can abort its
/// connection (umount2(2) with MNT_FORCE), make it read-only, or have fanotify(7) ask him about
/// everybody's opens; with CAP_DAC_READ_SEARCH, he can open other containers' files by their
/// handles, where the kernel has handles of FUSE. In an overlay all that stays within the container.
/// The price is about 2 us for each open, and 15 kB; and pressure files cannot be written: overlayfs
/// would copy them. So the others, which can do none of it, have the FUSE files themselves.
enum OwnFilesystem {
    /// Where pressure files are served, below what the daemon serves for the container: a link
    /// into the other connection, which is a layer of its own here, for a link could not lead out.
    static let pressureDirectory = "/proc/pressure"

    /// Makes one, mounted nowhere. In its root are `proc` and `sys`, and what is in
    /// ``pressureDirectory``.
    ///
    /// To be called in the mount namespace in which `container` was opened.
    ///
    /// - Parameter container: the directory in which the daemon serves the container's files.
    static func make(
        over container: borrowing FileDescriptor
    ) throws(SystemError) -> FileDescriptor {
        let pressure = try container.open(
            at: String(Self.pressureDirectory.dropFirst()), O_PATH | O_DIRECTORY)
        // From the mountpoint links lead into the connection of the containers.
        let files = try container.open(at: "sys/..", O_PATH | O_DIRECTORY)
        // No path of the daemon's, in which a colon or a comma would have a meaning.
        let layers = [files.raw, pressure.raw].map { "/proc/self/fd/\($0)" }
        return try detachedMount(
            of: "overlay",
            options: [
                "source=" + ServedOverlay.source, "lowerdir=" + layers.joined(separator: ":"),
            ],
            [.readOnly, .noSetuid, .noDevices, .noExec])
    }

    /// Mounts it on `/`. To be called in a mount namespace that nobody else is in: of what is
    /// mounted nowhere, single files cannot be mounted before Linux 6.15.
    static func attach(_ filesystem: borrowing FileDescriptor) throws(SystemError) {
        try makePrivate("/")
        try attachMount(filesystem, at: "/")
    }

    /// The directory in which it has the files of a directory of the daemon's, below the root.
    static func directory(_ served: String) -> String {
        served == pressureDirectory ? "." : String(served.dropFirst())
    }
}
