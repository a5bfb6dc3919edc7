import KernelText
import LxcfsHandover
import Syscalls

/// How a READ is answered.
enum ReadAnswer {
    case content(Snapshot)
    /// With what was told of last, if that is still there: it has so many bytes.
    case former(count: Int?)
    /// There is no content that is fresh enough.
    case nothing
    /// Not now, but soon.
    case wait
}
