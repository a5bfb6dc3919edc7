import CLinux
import LxcfsHandover
import Syscalls

/// Of which files the kernel is just being told, in memory that the next worker sees.
///
/// A thread that pushes waits for a page that a reader waits for. If its worker is killed then,
/// the thread does not end before the next worker has answered that reader, and after that its
/// old content comes upon the answer. So as long as the thread is there, the answer must be that
/// content.
final class PushMarks: @unchecked Sendable {
    /// As many as fit behind ``Suspects`` on the first page.
    private static let count = 128
    static let size = count * MemoryLayout<UInt64>.stride

    private let memory: UnsafeMutableRawPointer
    private let lock = Lock()

    init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// The files that an earlier worker was pushing when it ended; all marks are removed.
    func takeLeft() -> [NodeID] {
        lock.withLock {
            (0..<Self.count).compactMap { index in
                let raw = clinux_load64(memory + index * 8)
                clinux_store64(memory + index * 8, 0)
                return raw == 0 ? nil : NodeID(raw: raw)
            }
        }
    }

    /// - Returns: what to hand to ``end(_:)``; nil if there are too many.
    func begin(_ node: NodeID) -> Int? {
        lock.withLock {
            for index in 0..<Self.count where clinux_load64(memory + index * 8) == 0 {
                clinux_store64(memory + index * 8, node.raw)
                return index
            }
            return nil
        }
    }

    func end(_ index: Int?) {
        if let index { clinux_store64(memory + index * 8, 0) }
    }
}
