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

    /// libfuse's answer to the kernel, with the wish that the connection has no file handles
    /// (`FUSE_NO_EXPORT_SUPPORT`, Linux 6.9), of which libfuse may not know. With
    /// open_by_handle_at(2) whoever has CAP_DAC_READ_SEARCH and one file of ours could open those
    /// of every container.
    ///
    /// - Returns: the answer as it is, if the kernel did not offer it.
    package func refusingHandles(_ answer: [UInt8]) -> [UInt8] {
        // struct fuse_in_header, then struct fuse_init_in.
        let offered = UnsafeRawBufferPointer(start: memory, count: min(request.size, 2048))
        guard let flags = Self.number(offered, at: 52), flags & Self.hasMoreFlags != 0,
            let more = Self.number(offered, at: 56), more & Self.noHandles != 0
        else { return answer }
        // struct fuse_out_header, then struct fuse_init_out.
        let places = (flags: 28, more: 48)
        var amended = answer
        amended.withUnsafeMutableBytes { bytes in
            let known = UnsafeRawBufferPointer(bytes)
            guard let flags = Self.number(known, at: places.flags),
                let more = Self.number(known, at: places.more)
            else { return }
            // Without the first flag the kernel does not look at the others.
            let former = flags & Self.hasMoreFlags == 0 ? 0 : more
            bytes.storeBytes(
                of: flags | Self.hasMoreFlags, toByteOffset: places.flags, as: UInt32.self)
            bytes.storeBytes(
                of: former | Self.noHandles, toByteOffset: places.more, as: UInt32.self)
        }
        return amended
    }

    /// FUSE_INIT_EXT: there are 32 more flags.
    private static let hasMoreFlags: UInt32 = 1 << 30
    /// FUSE_NO_EXPORT_SUPPORT, of those.
    private static let noHandles: UInt32 = 1 << (38 - 32)

    private static func number(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt32? {
        guard offset + 4 <= bytes.count else { return nil }
        return bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
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
