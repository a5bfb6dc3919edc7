import Glibc

/// What a process reads at `/proc/meminfo`, told from its mounts.
///
/// Calls are answered like that file: busybox `free`, for one, subtracts numbers of the file
/// from numbers of sysinfo(2). A container that only has a seccomp profile sees the host at
/// both doors.
enum SeenMeminfo: Equatable {
    /// The kernel's own file, or somebody else's.
    case foreign
    /// The file in a container's directory.
    case container(id: String)
    /// A file of the container's own filesystem over its directory (`ServedOverlay`).
    case own
    /// The file that shows each caller its own container.
    case caller
}
