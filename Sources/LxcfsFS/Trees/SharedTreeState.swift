import KernelText
import LxcfsHandover
import Syscalls

/// What both trees share with the workers before and after.
struct SharedTreeState {
    let openFiles: OpenFiles
    let announcements: Announcements
    let pushes: Pushes
    /// When the keeper started, in seconds since 1970.
    let startedAt: Int
}
