import Glibc

/// One pread(2) on a borrowed descriptor.
public func readOnce(
    _ descriptor: CInt, into buffer: UnsafeMutableRawBufferPointer, at offset: Int,
    path: @autoclosure () -> String? = nil
) throws(SystemError) -> Int {
    try retrying("read", path()) {
        pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
    }
}
