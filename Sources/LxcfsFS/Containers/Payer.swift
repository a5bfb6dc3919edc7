import Glibc
import LxcfsHandover
import Syscalls

/// Who pays for what a caller has the daemon hold.
///
/// A registered container, by its number, with all pid namespaces and cgroups that it makes inside
/// (``RequestGates``). Of others it is the outermost pid namespace below the daemon's: containers that
/// share one, as those of a pod may, share what they may have open then. Of the other processes of the
/// daemon's own pid namespace root is one payer, and all other users together are another.
struct Payer: Hashable, Sendable {
    /// The inode of the namespace, which has 32 bits; small numbers are those below.
    let number: UInt32

    /// Nobody is on record: a file that a worker of release 0.1.0 has opened.
    static let none = Payer(number: 0)
    /// Root, in the daemon's pid namespace.
    static let root = Payer(number: 1)
    /// Any other user in the daemon's pid namespace.
    static let users = Payer(number: 2)
    /// A thread that cannot be seen from here.
    static let stranger = Payer(number: 3)

    init(number: UInt32) { self.number = number }

    /// A registered container. The kernel's numbers of namespaces begin far above
    /// (`PROC_DYNAMIC_FIRST`, 0xf0000000).
    init(slot: UInt32) { number = 16 + min(slot, NodeID.highestSlot) }

    /// - Parameters:
    ///   - namespace: the outermost pid namespace below the daemon's; nil for the daemon's own.
    ///   - user: of the caller, in the daemon's user namespace.
    init(_ namespace: NamespaceID?, user: uid_t) {
        if let namespace {
            number = UInt32(truncatingIfNeeded: namespace.inode)
        } else {
            self = user == 0 ? .root : .users
        }
    }
}
