/// Why a container may go without virtual files, though it has not asked to be left alone. Which of
/// these count is the administrator's choice: whoever writes a container's configuration can have
/// each.
enum Excuse: String, CaseIterable, Sendable {
    /// It is in the host's pid namespace, and looks at the host.
    case hostPID = "host-pid"
    /// Its `/proc` is unmasked.
    case unmasked
    /// Its configuration mounts something else over a file.
    case ownMounts = "own-mounts"
}
