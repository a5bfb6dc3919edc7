import Syscalls

/// What each thread of the agent is answering, in memory that outlives the process.
///
/// A call that has been received and not answered would wait for ever if the process died:
/// its id is known to nobody else, and it is not delivered again.
final class AgentSlots: Sendable {
    /// One for each thread that there can be.
    static let count = 32

    private let memory: SharedMemory

    init() throws(SystemError) {
        memory = try SharedMemory(name: "lxcfsd-agent", size: Self.size)
    }

    /// Takes over the memory of an earlier process.
    init(_ descriptor: consuming FileDescriptor) throws(SystemError) {
        memory = try SharedMemory(descriptor, size: Self.size)
    }

    private static let size = count * NotificationSlot.size

    /// To be kept beyond the life of this process.
    var descriptor: FileDescriptor { _read { yield memory.descriptor } }

    /// - Parameter index: below ``count``.
    subscript(index: Int) -> NotificationSlot {
        precondition((0..<Self.count).contains(index), "no such slot")
        let bytes = memory.bytes[(index * NotificationSlot.size)...]
        guard let start = UnsafeMutableRawBufferPointer(rebasing: bytes).baseAddress else {
            preconditionFailure("the memory of the agent is not mapped")
        }
        return NotificationSlot(start)
    }

    /// Lets the kernel carry out the calls that an earlier process left unanswered. Before
    /// any thread uses its slot.
    ///
    /// - Returns: how many there were.
    func recover(_ listeners: AgentListeners) throws(SystemError) -> Int {
        var count = 0
        for index in 0..<Self.count {
            let slot = self[index]
            if let (token, id) = slot.inFlight, let listener = listeners[token] {
                try SeccompNotify.pass(listener.descriptor, id)
                count += 1
            }
            slot.clear()
        }
        return count
    }
}
