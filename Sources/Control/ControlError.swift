import Glibc
import Syscalls

/// A request that brought no success.
public enum ControlError: Error, Equatable, CustomStringConvertible {
    /// Nobody serves the socket: no such file, or nobody listens.
    case absent(SystemError)
    /// The connection broke, or the daemon did not answer in time.
    case broken(SystemError)
    /// The answer was not a reply.
    case garbled(String)
    /// The daemon answered with an error.
    case refused(String)

    /// The connection was accepted, and closed without an answer.
    var isWorkersDeath: Bool {
        guard case .broken(let error) = self else { return false }
        return error.errno == ECONNRESET || error.errno == EPIPE
    }

    public var description: String {
        switch self {
        case .absent(let error) where error.errno == EACCES || error.errno == EPERM:
            "only root may ask lxcfsd: \(error)"
        case .absent(let error):
            "the daemon is not running: \(error) (systemctl start lxcfsd)"
        // What SO_RCVTIMEO and SO_SNDTIMEO end in (socket(7)).
        case .broken(let error) where error.errno == EAGAIN:
            "the daemon does not answer in time"
        case .broken(let error): "the daemon does not answer: \(error)"
        case .garbled(let detail): "the daemon's answer is not understood: \(detail)"
        case .refused(let reason): reason
        }
    }
}
