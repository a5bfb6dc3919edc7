import CLinux
import Glibc

/// A request of the kernel (struct fuse_in_header) in memory that the keeper holds.
package struct PendingRequest: @unchecked Sendable {
    package let memory: UnsafeMutableRawPointer

    package init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// Bytes of a request at most: the kernel insists on room for its largest.
    package static let room = 1 << 20 | 1 << 16

    private static let headerSize = 40
    /// `FUSE_UNIQUE_RESEND`: the kernel sets it in the number of what it sends again.
    private static let resendBit: UInt64 = 1 << 63

    /// Bytes; 0 if there is no request.
    package var size: Int {
        let size = Int(clinux_load32(memory))
        return size >= Self.headerSize && size <= Self.room ? size : 0
    }
    package var operation: UInt32 { clinux_load32(memory + 4) }
    /// The number that the answer has to bear.
    package var rawUnique: UInt64 { clinux_load64(memory + 8) }
    /// The number without the mark of what has been sent again.
    package var unique: UInt64 { rawUnique & ~Self.resendBit }

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

    package static let interrupt: UInt32 = 36
}
