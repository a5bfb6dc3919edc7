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

    deinit { storage.deallocate() }

    package var count: Int { storage.count }

    /// Valid as long as the snapshot.
    package var bytes: Bytes { Bytes(storage) }

    /// The part of `size` bytes from `offset`, as much of it as there is.
    package func part(offset: Int, size: Int) -> Bytes {
        let start = min(max(offset, 0), count)
        return bytes.part(start..<min(start + max(size, 0), count))
    }
}
