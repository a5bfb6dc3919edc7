import Glibc

/// pread(2) on a borrowed descriptor until `buffer` is full or the file ends.
public func read(
    _ descriptor: CInt, into buffer: UnsafeMutableRawBufferPointer, at offset: Int,
    path: @autoclosure () -> String? = nil
) throws(SystemError) -> Int {
    var total = 0
    while total < buffer.count, let base = buffer.baseAddress {
        let count = try retrying("read", path()) {
            pread(descriptor, base + total, buffer.count - total, off_t(offset + total))
        }
        if count == 0 { break }
        total += count
    }
    return total
}

/// One pread(2) on a borrowed descriptor.
public func readOnce(
    _ descriptor: CInt, into buffer: UnsafeMutableRawBufferPointer, at offset: Int,
    path: @autoclosure () -> String? = nil
) throws(SystemError) -> Int {
    try retrying("read", path()) {
        pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
    }
}

/// The whole of a small file, by path.
///
/// - Parameter limit: more bytes than this fail with `EFBIG`.
public func readFile(_ path: String, limit: Int = 1 << 26) throws(SystemError) -> [UInt8] {
    try FileDescriptor.open(path).readToEnd(limit: limit, path: path)
}
