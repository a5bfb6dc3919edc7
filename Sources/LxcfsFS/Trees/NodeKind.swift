import Glibc

/// What a name stands for.
enum NodeKind: Equatable {
    case directory
    case file(mode: mode_t)
    case link(target: String)

    /// The file type bits of `st_mode`.
    var type: mode_t {
        switch self {
        case .directory: S_IFDIR
        case .file: S_IFREG
        case .link: S_IFLNK
        }
    }
}
