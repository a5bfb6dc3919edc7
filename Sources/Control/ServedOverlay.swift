/// A filesystem of a container's own over the daemon's files, which the hook makes for containers that
/// rule filesystems (`OwnFilesystem`).
public enum ServedOverlay {
    /// Its source in `/proc/<pid>/mountinfo`, by which the daemon knows that a file is one of its
    /// own. A container may make such mounts itself: it is only shown its own numbers for that.
    public static let source = "lxcfs"
}
