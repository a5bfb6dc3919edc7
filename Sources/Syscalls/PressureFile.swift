import Glibc

/// Where pressure files are opened for triggers (Documentation/accounting/psi.rst).
///
/// Their cgroup's other files can be written to as well, which freezes, moves and kills: so a
/// worker may write to none of them, and its ``Aide`` opens these by a list of names.
enum PressureFile {
    static let flags = O_RDWR | O_NONBLOCK

    /// Names below `/proc/pressure`, and those in a cgroup.
    static let ofHost = ["cpu", "io", "memory"]
    static let ofCgroup = ["cpu.pressure", "io.pressure", "memory.pressure"]

    static func open(
        _ name: String, in directory: borrowing FileDescriptor, privileged: Bool
    ) throws(SystemError) -> FileDescriptor {
        privileged
            ? try directory.open(at: name, flags, raising: .resources)
            : try directory.open(at: name, flags)
    }
}

/// Opens a pressure file of the host for a trigger. Needs to be root's, or an ``Aide`` that is.
///
/// - Parameters:
///   - name: `cpu`, `io` or `memory`.
///   - proc: a procfs.
///   - privileged: as one who has CAP_SYS_RESOURCE.
public func openPressure(
    _ name: String, ofHost proc: borrowing FileDescriptor, privileged: Bool
) throws(SystemError) -> FileDescriptor {
    if Aide.isThere {
        let index = PressureFile.ofHost.firstIndex(of: name)
        return try Aide.pressureFile(name, index, ofCgroup: nil, privileged: privileged)
    }
    return try PressureFile.open("pressure/" + name, in: proc, privileged: privileged)
}

/// Opens a pressure file of a cgroup (v2) for a trigger. Needs to be root's, or an ``Aide`` that is.
///
/// - Parameters:
///   - name: `cpu.pressure`, `io.pressure` or `memory.pressure`.
///   - directory: the cgroup's.
///   - privileged: as one who has CAP_SYS_RESOURCE.
public func openPressure(
    _ name: String, ofCgroup directory: borrowing FileDescriptor, privileged: Bool
) throws(SystemError) -> FileDescriptor {
    if Aide.isThere {
        let index = PressureFile.ofCgroup.firstIndex(of: name)
        return try Aide.pressureFile(
            name, index, ofCgroup: directory.raw, privileged: privileged)
    }
    return try PressureFile.open(name, in: directory, privileged: privileged)
}
