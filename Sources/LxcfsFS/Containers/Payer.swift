import Glibc
import LxcfsHandover
import Syscalls

/// Who pays for what a caller has the daemon hold.
///
/// Of a container it is the outermost pid namespace below the daemon's: whatever pid namespaces and
/// cgroups a container makes inside, it stays the one that it was started with. Containers that
/// share one, as those of a pod may, share what they may have open. Processes of the daemon's own
/// pid namespace have no such thing: of a registered container they are that container; of the
/// others root is one payer, and all other users together are another.
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

    /// A registered container in the daemon's own pid namespace. The kernel's numbers of namespaces
    /// begin far above (`PROC_DYNAMIC_FIRST`, 0xf0000000).
    init(slot: UInt32) { number = 16 + min(slot, NodeID.highestSlot) }

    /// - Parameters:
    ///   - namespace: the outermost pid namespace below the daemon's; nil for the daemon's own.
    ///   - user: of the caller, in the daemon's user namespace.
    ///   - container: the registered container that the caller is in, if any (``RequestGate/payer``).
    init(_ namespace: NamespaceID?, user: uid_t, in container: Payer? = nil) {
        if let namespace {
            number = UInt32(truncatingIfNeeded: namespace.inode)
        } else if let container {
            self = container
        } else {
            self = user == 0 ? .root : .users
        }
    }
}
