/// What became of one file.
enum Outcome: Equatable {
    case attached
    /// Attached instead of an older mount, live or dead.
    case replaced
    /// A FUSE mount was there already and was left.
    case present
    /// There was nothing to do: the container has no such file, or a mount of its own there.
    case skipped(String)
    case failed(String)
    /// The older FUSE mount could not be replaced, and may still serve.
    case stuck(String)

    /// Whether a mount was made.
    var isMounted: Bool { self == .attached || self == .replaced }

    /// Why the file could not be mounted, if it should have been.
    var failure: String? {
        switch self {
        case .failed(let reason), .stuck(let reason): reason
        default: nil
        }
    }
}
