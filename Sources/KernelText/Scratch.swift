import Glibc
import Syscalls

/// A reusable buffer into which kernel files are read; one per thread.
///
/// It grows when a file does not fit and never shrinks, so that reading allocates nothing
/// once the largest file has been seen.
public final class Scratch {
    private var memory: UnsafeMutableRawBufferPointer

    public init(capacity: Int = 16384) {
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { memory.deallocate() }

    /// Reads the whole of `descriptor` from its start.
    ///
    /// - Parameters:
    ///   - single: the kernel makes the file in one piece (one `seq_show`), so that a short read
    ///     is its end. Files with one record per CPU, device or process come in pages, each read
    ///     short.
    ///   - limit: about so many bytes are enough: for files whose length others choose. Text that
    ///     has as many or more may go on.
    /// - Returns: the text, valid until the next read into this buffer.
    public func read(
        _ descriptor: CInt, single: Bool = false, limit: Int = .max,
        path: @autoclosure () -> String? = nil
    ) throws(SystemError) -> Bytes {
        var filled = 0
        while true {
            let end = limit < memory.count ? max(limit, filled + 1) : memory.count
            let rest = UnsafeMutableRawBufferPointer(rebasing: memory[filled..<end])
            let count = try Syscalls.readOnce(descriptor, into: rest, at: filled, path: path())
            filled += count
            if count == 0 || filled >= limit { break }
            if filled == memory.count {
                grow()
            } else if single {
                break
            }
        }
        return Bytes(
            start: memory.baseAddress?.assumingMemoryBound(to: UInt8.self), count: filled)
    }

    private func grow() {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: memory.count * 2, alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(memory))
        memory.deallocate()
        memory = larger
    }
}
