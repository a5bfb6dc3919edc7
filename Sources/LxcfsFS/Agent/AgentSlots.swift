import Syscalls

/// What each thread of the agent is answering, in memory that outlives the process.
///
/// A call that has been received and not answered would wait for ever if the process died:
/// its id is known to nobody else, and it is not delivered again.
struct AgentSlots: @unchecked Sendable {
    /// One for each thread that there can be.
    static let count = 32
    /// Bytes of all of them.
    static let size = count * NotificationSlot.size

    private let memory: UnsafeMutableRawPointer

    /// - Parameter memory: of ``size`` bytes, zero at first.
    init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// - Parameter index: below ``count``.
    subscript(index: Int) -> NotificationSlot {
        precondition((0..<Self.count).contains(index), "no such slot")
        return NotificationSlot(memory + index * NotificationSlot.size)
    }
}
