import CLinux

/// Where one thread receives notifications, in memory that the next process may look at.
///
/// The kernel itself writes the id of a received call here. So there is no moment in which
/// the process can die and nobody knows that a caller waits for its answer.
public struct NotificationSlot: @unchecked Sendable {
    private let memory: UnsafeMutablePointer<clinux_notification>

    private var listener: UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(memory) + Int(CLINUX_NOTIFICATION_LISTENER)
    }

    /// Says whether the rest means anything. So it becomes 0 before anything else changes, and
    /// the kernel stores the id of a call only when the listener is there.
    private var id: UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(memory) + Int(CLINUX_NOTIFICATION_ID)
    }

    /// Bytes of a slot.
    public static let size = MemoryLayout<clinux_notification>.size

    /// - Parameter memory: `size` bytes, aligned to 8.
    public init(_ memory: UnsafeMutableRawPointer) {
        self.memory = memory.assumingMemoryBound(to: clinux_notification.self)
    }

    /// What was being answered, if anything.
    public var inFlight: (listener: UInt64, id: UInt64)? {
        let id = clinux_load64(id)
        let listener = clinux_load64(listener)
        return listener != 0 && id != 0 ? (listener, id) : nil
    }

    /// Nothing is being answered any more.
    public func clear() {
        clinux_store64(id, 0)
        clinux_store64(listener, 0)
    }

    func receive(_ descriptor: CInt, listener token: UInt64) -> CInt {
        clinux_store64(id, 0)
        clinux_store64(listener, token)
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
