import Glibc
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsPageCache

/// Files that are open as snapshots, and the next worker.
@Suite struct OpenFilesTests {
    private func snapshot(_ text: String, at time: UInt64 = 1) -> Snapshot {
        Array(text.utf8).withUnsafeBufferPointer { Snapshot($0, time: time) }
    }

    private func text(_ snapshot: Snapshot?) -> String? { snapshot?.bytes.string }

    private func makeMemory() throws -> HandoverMemory {
        try HandoverMemory(try HandoverMemory.make(DaemonOptions(mountPoint: "/x")))
    }

    private func open(_ text: String, _ node: NodeID = NodeID(slot: 0, file: 19)) -> OpenFile {
        OpenFile(
            OpenFileTable.Stored(
                node: node, identity: 77, snapshot: snapshot(text), begun: false))
    }

    @Test func openFilesComeBackWithTheirContent() throws {
        let memory = try makeMemory()
        let first = OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        first.restore(worker: 1)
        let long = String(repeating: "0123456789", count: 2000)
        let handles = [
            first.add(open("one"), opener: 2), first.add(open(long), opener: 4),
            first.add(open("three"), opener: 6),
        ]
        #expect(Set(handles).count == 3)
        first.table.noteBegun(handles[0], by: 12)
        first.table.replace(handles[2], snapshot("the third"), for: 14)
        first.remove(handles[1])
        #expect(first.file(handles[1]) == nil)
        #expect(first.count == 2)

        let second = OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        second.restore(worker: 2)
        #expect(second.count == 2)
        #expect(text(second.file(handles[0])?.snapshot) == "one")
        #expect(second.file(handles[0])?.identity == 77)
        #expect(second.table.isFor(12, handles[0]))
        #expect(!second.table.isFor(14, handles[0]))
        #expect(second.file(handles[1]) == nil)
        #expect(second.table.isFor(14, handles[2]))
        #expect(text(second.file(handles[2])?.snapshot) == "the third")
        // New files do not take the place of old ones.
        let other = second.add(open(long), opener: 8)
        #expect(!handles.contains(other))
        #expect(text(second.file(handles[0])?.snapshot) == "one")
        #expect(text(second.file(other)?.snapshot) == long)
        for handle in [handles[0], handles[2], other, other] { second.remove(handle) }
        #expect(second.count == 0)
        let third = OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        third.restore(worker: 3)
        #expect(third.count == 0)
    }

    @Test func anOpenThatIsRepeatedGetsTheHandleAgain() throws {
        let memory = try makeMemory()
        let first = OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        first.restore(worker: 1)
        let handle = first.add(open("one"), opener: 2)
        let second = OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        second.restore(worker: 2)
        #expect(second.add(open("again"), opener: 2) == handle)
        #expect(second.count == 1)
        // Only once: later it is another OPEN.
        #expect(second.add(open("again"), opener: 2) != handle)
    }

    /// A READ of a file that has been closed may be left by a former worker. Taken for one of a
    /// file that was opened later, it would leave the content of the one to the other.
    @Test func handlesOfClosedFilesAreNotUsedByTheNextWorker() throws {
        let memory = try makeMemory()
        let first = OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        first.restore(worker: 1)
        let open = first.add(self.open("stays"), opener: 2)
        var closed: Set<UInt64> = []
        for number in 2...5 as ClosedRange<UInt64> {
            let handle = first.add(self.open("closed"), opener: 2 * number)
            first.remove(handle)
            closed.insert(handle)
        }
        let second = OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        second.restore(worker: 2)
        for handle in closed { second.adopt(self.open("of a former worker"), as: handle) }
        for number in 6...20 as ClosedRange<UInt64> {
            let handle = second.add(self.open("new"), opener: 2 * number)
            #expect(!closed.contains(handle) && handle != open)
            #expect(text(second.file(handle)?.snapshot) == "new")
        }
    }

    @Test func withoutRoomFilesAreOpenedAllTheSame() throws {
        let memory = try makeMemory()
        let files = OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        files.restore(worker: 1)
        let all = (0..<16400).map { files.add(open("x"), opener: UInt64($0) * 2) }
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { files.file($0) != nil })
        for handle in all { files.remove(handle) }
        #expect(files.count == 0)
        // All room is there again.
        let large = String(repeating: "y", count: 1 << 20)
        let handles = (0..<65).map { files.add(open(large), opener: UInt64($0)) }
        #expect(handles.count { $0 < 1 << 63 } == 64)
    }
}
