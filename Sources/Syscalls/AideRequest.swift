/// What a worker asks of its ``Aide``: both are one program, started once, so the layout is that of
/// the memory.
struct AideRequest {
    enum Operation: UInt32 {
        /// Another socket, with a thread of the aide's behind it.
        case channel = 1
        /// `detail` is a ``NamespaceKind``; the reply's value its inode.
        case namespace
        /// Comes with the reply.
        case pidNamespace
        /// What follows the request goes to `address`.
        case write
        /// `detail` is an index in ``PressureFile/ofHost``.
        case pressureOfHost
        /// The same of ``PressureFile/ofCgroup``; the directory comes with the request.
        case pressureOfCgroup
    }

    var operation: UInt32
    /// The thread that it is about, in the daemon's pid namespace.
    var tid: Int32 = 0
    var address: UInt64 = 0
    var detail: UInt32 = 0
    /// With CAP_SYS_RESOURCE.
    var isPrivileged: UInt32 = 0

    init(_ operation: Operation) { self.operation = operation.rawValue }

    /// Bytes of a request and of what follows it: the largest affinity mask of Linux (8192 CPUs)
    /// has 1024.
    static let sizeLimit = 2048
}

struct AideReply {
    /// errno, or 0.
    var error: Int32 = 0
    /// CPU time that the answer has cost, in nanoseconds.
    var work: UInt32 = 0
    var value: UInt64 = 0
}
