import Syscalls

/// Why a container cannot be served at all, or a file cannot be mounted.
enum AttachError: Error, Equatable, CustomStringConvertible {
    case system(SystemError)
    /// The hook itself objects, not the kernel.
    case refused(String)
    /// A mount of the container's own is in the way.
    case covered(String)

    init(_ error: any Error) {
        switch error {
        case let error as AttachError: self = error
        case let error as SystemError: self = .system(error)
        default: self = .refused("\(error)")
        }
    }

    var description: String {
        switch self {
        case .system(let error): error.description
        case .refused(let reason), .covered(let reason): reason
        }
    }
}
