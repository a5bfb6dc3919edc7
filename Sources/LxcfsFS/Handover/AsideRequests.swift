import CLinux
import Glibc
import Syscalls

/// Requests that have been taken from the kernel and wait for a thread, in memory that the next
/// worker sees. It is a memory of its own, which a worker has kept under ``name``: that of
/// ``HandoverMemory`` has a place for each thread, and no more.
///
///     place: state u32 | connection u32 | held up u32 | free u32 | the request
///
/// A place is valid from the moment that its state is stored.
package final class AsideRequests: @unchecked Sendable {
    /// To be changed with the layout.
    package static let name = "requests-aside:1"
    package static let count = 4096
    private static let placeSize = 512
    private static let headerSize = 16
    /// Bytes of a request that may be put aside: any of those whose length is bounded.
    package static let room = placeSize - headerSize
    package static let size = count * placeSize

    package enum State: UInt32, Sendable {
        case free = 0
        /// It waits for a thread.
        case waiting = 1
        /// A thread is answering it.
        case answering = 2
    }

    private let base: UnsafeMutableRawPointer

    /// - Parameter memory: from ``make()``.
    /// - Throws: `EINVAL` if it is too small, or what mmap(2) says.
    package init(_ memory: borrowing FileDescriptor) throws(SystemError) {
        base = try SharedMemory.map(memory, size: Self.size)
    }

    package static func make() throws(SystemError) -> FileDescriptor {
        try SharedMemory.make("lxcfsd-aside", size: size)
    }

    private func place(_ index: Int) -> UnsafeMutableRawPointer {
        base + index * Self.placeSize
    }

    /// The request at a place, whatever its state.
    package subscript(index: Int) -> PendingRequest {
        PendingRequest(
            place(index) + Self.headerSize, room: Self.room,
            thread: nil, heldUp: place(index) + 8)
    }

    /// What is not understood counts as free.
    package func state(_ index: Int) -> State {
        guard self[index].size > 0 else { return .free }
        return State(rawValue: clinux_load32(place(index))) ?? .free
    }

    package func set(_ state: State, _ index: Int) {
        clinux_store32(place(index), state.rawValue)
    }

    /// nil for one that this version does not know.
    package func connection(_ index: Int) -> FUSEConnection? {
        FUSEConnection(rawValue: Int(clinux_load32(place(index) + 4)))
    }

    /// Takes a copy of a request, which then waits here. Until the other one is cleared both are
    /// there, and the next worker takes one of them.
    ///
    /// - Parameters:
    ///   - request: has at most ``room`` bytes.
    ///   - index: of a place that is free.
    package func put(_ request: PendingRequest, _ connection: FUSEConnection, at index: Int) {
        let place = self.place(index)
        memcpy(place + Self.headerSize, request.memory, min(request.size, Self.room))
        clinux_store32(place + 4, UInt32(connection.rawValue))
        clinux_store32(place + 8, 0)
        set(.waiting, index)
    }
}
