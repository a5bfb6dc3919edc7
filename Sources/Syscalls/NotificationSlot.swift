import CLinux

/// Where one thread receives notifications, in memory that the next process may look at.
///
/// The kernel itself writes the id of a received call here. So there is no moment in which
/// the process can die and nobody knows that a caller waits for its answer.
public struct NotificationSlot: @unchecked Sendable {
    private let memory: UnsafeMutablePointer<clinux_notification>

    /// Bytes of a slot.
    public static let size = MemoryLayout<clinux_notification>.size

    /// - Parameter memory: `size` bytes, aligned to 8.
    public init(_ memory: UnsafeMutableRawPointer) {
        self.memory = memory.assumingMemoryBound(to: clinux_notification.self)
    }

    /// What was being answered, if anything.
    public var inFlight: (listener: UInt64, id: UInt64)? {
        let (listener, id) = (memory.pointee.listener, memory.pointee.id)
        return listener != 0 && id != 0 ? (listener, id) : nil
    }

    /// Nothing is being answered any more.
    public func clear() {
        memory.pointee.id = 0
        memory.pointee.listener = 0
    }

    func receive(_ descriptor: CInt, listener: UInt64) -> CInt {
        memory.pointee.id = 0
        memory.pointee.listener = listener
        return clinux_seccomp_receive(descriptor, memory)
    }

    /// The call that ``inFlight`` is about.
    public var call: InterceptedCall {
        let (name, is32Bit) = InterceptedCall.identify(
            architecture: memory.pointee.arch, number: memory.pointee.number)
        let arguments = memory.pointee.arguments
        return InterceptedCall(
            id: memory.pointee.id, tid: Int32(clamping: memory.pointee.pid), name: name,
            is32Bit: is32Bit, arguments: (arguments.0, arguments.1, arguments.2))
    }
}
