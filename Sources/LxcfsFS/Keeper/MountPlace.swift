import Glibc
import LxcfsHandover
import Syscalls

/// Whose mount namespace the daemon's mounts are made in.
///
/// What is mounted in a namespace that a service manager has made for the daemon (`ProtectHome=`,
/// `PrivateDevices=` and so on) is seen by nobody else, whatever its propagation: such a namespace
/// only receives. So what has to do with mounts, or with files that others look for, is then done
/// in the namespace of process 1, and all else, first of all the worker, stays in the daemon's own.
///
/// Not by guess: where the two differ for another reason (a container that sees the host's
/// processes) the mounts belong into the daemon's own.
enum MountPlace {
    /// The daemon's own namespace.
    case own
    /// That of process 1.
    case host

    /// `1` or nothing. A variable, and no option: it goes with the namespace that the keeper was
    /// started in, also into another program that is executed in its place, and one that does not
    /// know it passes it over.
    static let variable = "LXCFSD_HOST_MOUNTS"

    /// - Parameter value: of the variable.
    /// - Throws: `DaemonError` for a value that means nothing.
    init(_ value: String?) throws(DaemonError) {
        switch value {
        case nil, "", "0": self = .own
        case "1": self = .host
        case let other?:
            throw DaemonError("\(Self.variable) is 1 or 0, not \"\(other)\"")
        }
    }

    static func fromEnvironment() throws(DaemonError) -> MountPlace {
        try MountPlace(getenv(variable).map { String(cString: $0) })
    }

    /// What it takes besides CAP_SYS_ADMIN and CAP_SYS_PTRACE.
    var capabilities: Set<Capability> { self == .host ? [.changeRoot] : [] }

    /// Does something there. The calling thread has the root directory as its working directory
    /// afterwards, and shares neither with others any more.
    ///
    /// - Throws: what `body` throws; `DaemonError` if there is no way there, or none back.
    func within<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
        guard self == .host else { return try body() }
        let own = try openOwnMountNamespace()
        try enter()
        let value: Value
        do {
            value = try body()
        } catch let failure {
            do {
                try Self.enter(own, "of the daemon")
            } catch {
                throw DaemonError("\(failure); \(error)")
            }
            throw failure
        }
        try Self.enter(own, "of the daemon")
        return value
    }

    /// Moves the calling thread there for good.
    ///
    /// - Throws: `DaemonError` that says what is missing.
    func enter() throws(DaemonError) {
        guard self == .host else { return }
        do {
            try Self.enter(try openMountNamespace(of: 1), "of process 1")
        } catch {
            throw DaemonError(
                "\(error): \(Self.variable)=1 needs CAP_SYS_ADMIN, CAP_SYS_CHROOT and "
                    + "CAP_SYS_PTRACE, and setns(2) into mount namespaces (systemd: "
                    + "RestrictNamespaces=mnt)")
        }
    }

    private static func enter(
        _ namespace: borrowing FileDescriptor, _ name: String
    ) throws(SystemError) {
        // Also on the way back: threads that have been started there share it again.
        try separateWorkingDirectory()
        try enterMountNamespace(namespace, path: name)
    }
}
