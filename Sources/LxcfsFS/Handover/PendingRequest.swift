import CLinux
import Glibc

/// A request of the kernel (struct fuse_in_header) in memory that the keeper holds.
package struct PendingRequest: @unchecked Sendable {
    package let memory: UnsafeMutableRawPointer
    private let limit: Int
    /// Where the thread that receives here notes its number; nil for a place that no thread has
    /// for its own.
    private let thread: UnsafeMutableRawPointer?
    /// Where it says that it waits for what only the container decides.
    package let heldUp: UnsafeMutableRawPointer

    /// Where a thread receives requests: the last bytes are more than a request can have.
    package init(_ memory: UnsafeMutableRawPointer) {
        self.init(
            memory, room: Self.room, thread: memory + Self.room - 8,
            heldUp: memory + Self.room - 4)
    }

    init(
        _ memory: UnsafeMutableRawPointer, room: Int, thread: UnsafeMutableRawPointer?,
        heldUp: UnsafeMutableRawPointer
    ) {
        self.memory = memory
        limit = room
        self.thread = thread
        self.heldUp = heldUp
    }

    /// Bytes of a request at most: the kernel insists on room for its largest.
    package static let room = 1 << 20 | 1 << 16

    private static let headerSize = 40
    /// `FUSE_UNIQUE_RESEND`: the kernel sets it in the number of what it sends again.
    private static let resendBit: UInt64 = 1 << 63

    /// Bytes; 0 if there is no request.
    package var size: Int {
        let size = Int(clinux_load32(memory))
        return size >= Self.headerSize && size <= limit ? size : 0
    }
    package var operation: UInt32 { clinux_load32(memory + 4) }
    /// The number that the answer has to bear.
    package var rawUnique: UInt64 { clinux_load64(memory + 8) }
    /// The number without the mark of what has been sent again.
    package var unique: UInt64 { rawUnique & ~Self.resendBit }
    /// What it is about.
    package var node: NodeID { NodeID(raw: clinux_load64(memory + 16)) }
    package var user: uid_t { clinux_load32(memory + 24) }
    /// The thread that asks, as the daemon counts; 0 if the kernel does not say.
    package var caller: pid_t { pid_t(bitPattern: clinux_load32(memory + 32)) }
    /// The handle of the open file, for operations on one whose first number it is (READ, WRITE,
    /// POLL); 0 if the request is too short.
    package var handle: UInt64 {
        size >= Self.headerSize + 8 ? clinux_load64(memory + Self.headerSize) : 0
    }

    /// The request has been answered, or will be sent again.
    package func clear() { clinux_store32(memory, 0) }

    /// Writing the first pages now makes sure that the kernel never has to wait for memory
    /// when it hands over a request; it would fail the request if the worker was killed then.
    package func touch() {
        for page in 0..<2 {
            let at = memory + page * 4096 + 2048
            clinux_store32(at, clinux_load32(at))
        }
    }

    /// Notes which thread receives here.
    package func belongs(to number: pid_t) {
        if let thread { clinux_store32(thread, UInt32(bitPattern: number)) }
        clinux_store32(heldUp, 0)
    }

    /// The thread that receives here; 0 if that has not been said.
    package var receiver: pid_t {
        thread.map { pid_t(bitPattern: clinux_load32($0)) } ?? 0
    }

    /// Whether its thread waits for what only the container decides: a page that a reader there
    /// keeps locked, or its own pauses.
    package var isHeldUp: Bool { clinux_load32(heldUp) == 1 }

    // FUSE_*, in linux/fuse.h.
    package static let lookup: UInt32 = 1
    package static let forget: UInt32 = 2
    package static let getattr: UInt32 = 3
    package static let open: UInt32 = 14
    package static let read: UInt32 = 15
    package static let write: UInt32 = 16
    package static let release: UInt32 = 18
    package static let flush: UInt32 = 25
    package static let initialize: UInt32 = 26
    package static let readdir: UInt32 = 28
    package static let releaseDirectory: UInt32 = 29
    package static let interrupt: UInt32 = 36
    package static let destroy: UInt32 = 38
    package static let poll: UInt32 = 40
    package static let forgetMany: UInt32 = 42
}
