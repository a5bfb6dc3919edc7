import CLinux
import Glibc

/// The first exchange of a connection: the kernel's INIT and libfuse's answer. Every worker
/// replays it, for only so libfuse knows what was agreed on.
package struct InitialExchange {
    package static let size = 4096
    private let memory: UnsafeMutableRawPointer

    package init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// The room that the kernel insists on (FUSE_MIN_READ_BUFFER), though INIT is far
    /// shorter.
    package static let requestRoom = 8192

    /// Where INIT is received.
    package var request: PendingRequest { PendingRequest(memory) }
    private var answerSize: UnsafeMutableRawPointer { memory + 2048 }
    private var answerBytes: UnsafeMutableRawPointer { memory + 2052 }

    /// What has been answered; nil if nothing yet.
    package var answer: [UInt8]? {
        let size = Int(clinux_load32(answerSize))
        guard size > 0, size <= 1024 else { return nil }
        return Array(UnsafeRawBufferPointer(start: answerBytes, count: size))
    }

    package func setAnswer(_ bytes: [UInt8]) {
        let part = bytes.prefix(1024)
        part.withUnsafeBytes {
            if let first = $0.baseAddress {
                answerBytes.copyMemory(from: first, byteCount: $0.count)
            }
        }
        clinux_store32(answerSize, UInt32(part.count))
    }
}
