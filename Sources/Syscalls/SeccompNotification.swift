import CLinux
import Glibc

/// A system call in which a thread waits until the agent has answered it
/// (seccomp_unotify(2)).
public struct InterceptedCall: Equatable, Sendable {
    public enum Name: Sendable {
        /// sysinfo(2).
        case sysinfo
        /// sched_getaffinity(2).
        case schedGetaffinity
        case other
    }

    /// Unique among those of its listener.
    public let id: UInt64
    /// The calling thread in our pid namespace; 0 if it cannot be seen from here.
    public let tid: Int32
    public let name: Name
    /// Made through a 32-bit interface: pointers and `long` have 4 bytes. False for x32,
    /// whose structures are those of x86_64.
    public let is32Bit: Bool
    /// The registers, widened with zeroes.
    public let arguments: (UInt64, UInt64, UInt64)

    public static func == (left: InterceptedCall, right: InterceptedCall) -> Bool {
        left.id == right.id && left.tid == right.tid && left.name == right.name
            && left.is32Bit == right.is32Bit && left.arguments == right.arguments
    }

    /// Which call `number` is for an `AUDIT_ARCH_*` value of `<linux/audit.h>`.
    public static func identify(
        architecture: UInt32, number: Int32
    ) -> (name: Name, is32Bit: Bool) {
        let known = clinux_seccomp_call(architecture, number)
        let name: Name =
            switch Int(known.call) {
            case Int(CLINUX_CALL_SYSINFO): .sysinfo
            case Int(CLINUX_CALL_SCHED_GETAFFINITY): .schedGetaffinity
            default: .other
            }
        return (name, known.is_32bit != 0)
    }
}

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

    fileprivate func receive(_ descriptor: CInt, listener: UInt64) -> CInt {
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

/// The operations on a notify descriptor (seccomp_unotify(2)).
public enum SeccompNotify {
    /// - Throws: `ENOSYS` or `EINVAL` from a kernel without user notification.
    public static func checkKernel() throws(SystemError) {
        _ = try check(clinux_seccomp_check_sizes(), "use", "seccomp user notification")
    }

    /// Whether a descriptor is one for notifications.
    public static func isListener(_ descriptor: borrowing FileDescriptor) -> Bool {
        // No call has this id, or the agent would have received it.
        let result = clinux_seccomp_is_valid(descriptor.raw, 0)
        return result == 0 || result == -ENOENT
    }

    /// Takes the next call. Only when the descriptor is readable: otherwise it waits.
    ///
    /// - Parameter listener: a number other than 0 by which the next process finds the
    ///   descriptor.
    /// - Returns: nil when the caller has been killed or interrupted meanwhile.
    public static func receive(
        _ descriptor: borrowing FileDescriptor, listener: UInt64, into slot: NotificationSlot
    ) throws(SystemError) -> InterceptedCall? {
        let result = slot.receive(descriptor.raw, listener: listener)
        if result == -ENOENT || result == -EINTR { return nil }
        _ = try check(result, "receive from", "seccomp listener \(descriptor.raw)")
        return slot.call
    }

    /// Whether the caller still waits. What was opened by its thread number before is then
    /// its own, and not another thread's that got the same number later.
    public static func isWaiting(
        _ descriptor: borrowing FileDescriptor, _ id: UInt64
    ) -> Bool {
        clinux_seccomp_is_valid(descriptor.raw, id) == 0
    }

    /// The call returns `value`. A caller that has gone away is no error.
    public static func finish(
        _ descriptor: borrowing FileDescriptor, _ id: UInt64, returning value: Int64
    ) throws(SystemError) {
        try checkSent(clinux_seccomp_return(descriptor.raw, id, value), descriptor)
    }

    /// The kernel carries the call out as if nobody had asked
    /// (`SECCOMP_USER_NOTIF_FLAG_CONTINUE`). A caller that has gone away is no error.
    public static func pass(
        _ descriptor: borrowing FileDescriptor, _ id: UInt64
    ) throws(SystemError) {
        try checkSent(clinux_seccomp_continue(descriptor.raw, id), descriptor)
    }

    private static func checkSent(
        _ result: CInt, _ descriptor: borrowing FileDescriptor
    ) throws(SystemError) {
        // EINPROGRESS: it has been answered already.
        if result == -ENOENT || result == -EINPROGRESS { return }
        _ = try check(result, "answer", "seccomp listener \(descriptor.raw)")
    }

    /// Lets a caller continue on the CPU on which it is answered, where the kernel can
    /// (Linux 6.6): it waits, so nothing else is to be done there.
    public static func wakeHere(_ descriptor: borrowing FileDescriptor) {
        _ = clinux_seccomp_wake_here(descriptor.raw)
    }
}

/// The mount namespace of a thread.
///
/// - Parameter proc: a procfs.
public func mountNamespace(
    of tid: Int32, _ proc: borrowing FileDescriptor
) throws(SystemError) -> NamespaceID {
    let result = clinux_mount_namespace(proc.raw, tid)
    let inode = try check(result, "find the mount namespace of thread", "\(tid)")
    return NamespaceID(inode: UInt64(inode))
}

/// The memory of a process by one of its threads, for writing (`/proc/<pid>/mem`).
///
/// - Parameter proc: a procfs.
public func openMemory(
    of tid: Int32, _ proc: borrowing FileDescriptor
) throws(SystemError) -> FileDescriptor {
    let result = clinux_open_task_file(proc.raw, tid, "mem", O_RDWR)
    // The file belongs to the user whom the process runs as.
    if result == -EACCES {
        return try proc.open(at: "\(tid)/mem", O_RDWR, raising: .allFiles)
    }
    return FileDescriptor(owning: try check(result, "open memory of thread", "\(tid)"))
}

/// Writes to an address of a process.
///
/// - Parameter memory: from ``openMemory(of:_:)``.
/// - Returns: false if not all of `bytes` could be written.
public func write(
    _ bytes: UnsafeRawBufferPointer, to memory: borrowing FileDescriptor, at address: UInt64
) -> Bool {
    pwrite(memory.raw, bytes.baseAddress, bytes.count, off_t(Int64(bitPattern: address)))
        == bytes.count
}

/// The affinity mask of a thread as the kernel has it (sched_getaffinity(2)).
///
/// - Returns: how many bytes of `mask` were written.
public func affinity(
    of tid: Int32, into mask: UnsafeMutableRawBufferPointer
) throws(SystemError) -> Int {
    let result = clinux_affinity(tid, mask.baseAddress, mask.count)
    return Int(try check(result, "get the affinity of thread", "\(tid)"))
}
