import Glibc

/// Who is at the other end of a Unix socket (`SO_PEERCRED`, unix(7)).
public struct PeerCredentials: Equatable, Sendable {
    public let pid: pid_t
    public let uid: uid_t
    public let gid: gid_t
}
