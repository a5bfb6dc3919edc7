import KernelText

/// The content of a file at one moment. Immutable: a reader that still holds it is not
/// disturbed by the next one.
package final class Snapshot: @unchecked Sendable {
    private let storage: UnsafeMutableBufferPointer<UInt8>
    /// ``Clock/monotonic()`` when it was made.
    package let time: UInt64

    package init(_ text: Bytes, time: UInt64) {
        storage = .allocate(capacity: text.count)
        _ = storage.initialize(fromContentsOf: text)
        self.time = time
    }

    /// A text with spaces before the ends of its last lines.
    private init(_ text: Bytes, length: Int, spaces: Int, time: UInt64) {
        storage = .allocate(capacity: text.count + spaces)
        var end = storage[..<length].initialize(fromContentsOf: text.part(0..<length))
        storage[end..<end + spaces].initialize(repeating: UInt8(ascii: " "))
        end += spaces
        _ = storage[end...].initialize(fromContentsOf: text.part(length..<text.count))
        self.time = time
    }

    deinit { storage.deallocate() }

    package var count: Int { storage.count }

    /// Valid as long as the snapshot.
    package var bytes: Bytes { Bytes(storage) }

    /// The same text in `count` bytes: with spaces behind the last line that is not empty. That
    /// is where programs that read numbers mind them least.
    package func padded(to count: Int) -> Snapshot {
        guard count > self.count,
            let last = bytes.lastIndex(where: { $0 != UInt8(ascii: "\n") }),
            last < self.count - 1
        else { return self }
        return Snapshot(bytes, length: last + 1, spaces: count - self.count, time: time)
    }

    /// The part of `size` bytes from `offset`, as much of it as there is.
    package func part(offset: Int, size: Int) -> Bytes {
        let start = min(max(offset, 0), count)
        return bytes.part(start..<min(start + max(size, 0), count))
    }
}
