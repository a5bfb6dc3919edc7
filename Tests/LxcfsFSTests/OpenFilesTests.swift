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

    /// Opens a file of `files`, for a payer with room enough.
    private func add(
        _ file: OpenFile, to files: OpenFiles, opener: UInt64, for payer: Payer = .root,
        hasTrigger: Bool = false
    ) throws -> UInt64 {
        let reservation = try files.reserve(
            for: payer, hasTrigger: hasTrigger, opener: opener)
        return try files.add(file, reservation, opener: opener)
    }

    /// One container of many.
    private func payer(_ number: UInt32) -> Payer { Payer(number: 0xf000_0000 + number) }

    @Test func openFilesComeBackWithTheirContent() throws {
        let memory = try makeMemory()
        let first = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        first.restore(worker: 1)
        let long = String(repeating: "0123456789", count: 2000)
        let handles = [
            try add(open("one"), to: first, opener: 2),
            try add(open(long), to: first, opener: 4),
            try add(open("three"), to: first, opener: 6),
        ]
        #expect(Set(handles).count == 3)
        first.table.noteBegun(handles[0], by: 12)
        first.table.replace(handles[2], snapshot("the third"), for: 14)
        first.remove(handles[1])
        #expect(first.file(handles[1]) == nil)
        #expect(first.count == 2)

        let second = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
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
        let other = try add(open(long), to: second, opener: 8)
        #expect(!handles.contains(other))
        #expect(text(second.file(handles[0])?.snapshot) == "one")
        #expect(text(second.file(other)?.snapshot) == long)
        for handle in [handles[0], handles[2], other, other] { second.remove(handle) }
        #expect(second.count == 0)
        let third = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        third.restore(worker: 3)
        #expect(third.count == 0)
    }

    @Test func whatIsLeftOfAPayerIsNobodysThen() throws {
        let memory = try makeMemory()
        let files = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        files.restore(worker: 1)
        let handles = try (1...3 as ClosedRange<UInt64>).map {
            try add(open("text"), to: files, opener: 2 * $0, for: payer(1), hasTrigger: $0 == 3)
        }
        let other = try add(open("other"), to: files, opener: 20, for: payer(2))
        let all = files.all
        let pending = try files.reserve(for: payer(1), hasTrigger: false, opener: 30)
        files.disown(payer(1))
        #expect(files.holding(of: payer(1)) == OpenBudget.Holding(files: 1))
        #expect(
            files.holding(of: .none) == OpenBudget.Holding(files: 3, bytes: 12288, triggers: 1))
        #expect(files.holding(of: payer(2)).files == 1)
        files.giveBack(pending)
        #expect(files.all == all && files.holding(of: payer(1)) == OpenBudget.Holding())
        files.remove(handles[0])
        #expect(files.holding(of: .none).files == 2)

        let next = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        next.restore(worker: 2)
        #expect(next.holding(of: payer(1)) == OpenBudget.Holding())
        for handle in handles + [other] { next.remove(handle) }
        #expect(next.all == OpenBudget.Holding())
        files.disown(payer(9))
    }

    @Test func anOpenThatIsRepeatedGetsTheHandleAgain() throws {
        let memory = try makeMemory()
        let first = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        first.restore(worker: 1)
        let handle = try add(open("one"), to: first, opener: 2)
        let second = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        second.restore(worker: 2)
        #expect(try add(open("again"), to: second, opener: 2) == handle)
        #expect(second.count == 1)
        // Only once: later it is another OPEN.
        #expect(try add(open("again"), to: second, opener: 2) != handle)
    }

    /// A READ of a file that has been closed may be left by a former worker. Taken for one of a
    /// file that was opened later, it would leave the content of the one to the other.
    @Test func handlesOfClosedFilesAreNotUsedByTheNextWorker() throws {
        let memory = try makeMemory()
        let first = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        first.restore(worker: 1)
        let open = try add(self.open("stays"), to: first, opener: 2)
        var closed: Set<UInt64> = []
        for number in 2...5 as ClosedRange<UInt64> {
            let handle = try add(self.open("closed"), to: first, opener: 2 * number)
            first.remove(handle)
            closed.insert(handle)
        }
        let second = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        second.restore(worker: 2)
        for handle in closed {
            try second.adopt(self.open("of a former worker"), as: handle, for: .root)
        }
        for number in 6...20 as ClosedRange<UInt64> {
            let handle = try add(self.open("new"), to: second, opener: 2 * number)
            #expect(!closed.contains(handle) && handle != open)
            #expect(text(second.file(handle)?.snapshot) == "new")
        }
    }

    @Test func withoutRoomFilesAreOpenedAllTheSame() throws {
        let memory = try makeMemory()
        let files = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        files.restore(worker: 1)
        let all = try (0..<16400).map {
            try add(
                open("x"), to: files, opener: UInt64($0) * 2, for: payer(UInt32($0 / 1000)))
        }
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { files.file($0) != nil })
        for handle in all { files.remove(handle) }
        #expect(files.count == 0)
        // All room is there again.
        let large = String(repeating: "y", count: 1 << 20)
        let handles = try (0..<65).map {
            try add(open(large), to: files, opener: UInt64($0), for: payer(UInt32($0 / 4)))
        }
        #expect(handles.count { $0 < 1 << 63 } == 64)
    }

    // MARK: - What a container may have open

    private func errno<Value>(_ body: () throws -> Value) -> CInt? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? SystemError)?.errno
        }
    }

    @Test func whoHasTooManyFilesOpenGetsNoMoreAndOthersDo() throws {
        let memory = try makeMemory()
        let files = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        files.restore(worker: 1)
        var handles: [UInt64] = []
        var opener: UInt64 = 0
        let refused = errno {
            while handles.count < 20000 {
                opener += 2
                handles.append(try add(open("x"), to: files, opener: opener, for: payer(1)))
            }
        }
        #expect(refused == EMFILE)
        #expect(handles.count == 2048)
        #expect(files.refusals.load(ordering: .relaxed) == 1)
        let other = try add(open("y"), to: files, opener: opener + 2, for: payer(2))
        #expect(text(files.file(other)?.snapshot) == "y")
        // One closed, one opened.
        files.remove(handles.removeLast())
        handles.append(try add(open("x"), to: files, opener: opener + 4, for: payer(1)))
        #expect(
            errno { try add(open("x"), to: files, opener: opener + 6, for: payer(1)) }
                == EMFILE)
        for handle in handles { files.remove(handle) }
        #expect(files.holding(of: payer(1)) == OpenBudget.Holding())
        #expect(files.all.files == 1)
    }

    @Test func contentsAreCountedInBytes() throws {
        let memory = try makeMemory()
        let files = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        files.restore(worker: 1)
        let large = String(repeating: "z", count: 1 << 20)
        let handles = try (1...7).map {
            try add(open(large), to: files, opener: 2 * UInt64($0), for: payer(1))
        }
        let small = try add(open("s"), to: files, opener: 20, for: payer(1))
        #expect(errno { try add(open(large), to: files, opener: 22, for: payer(1)) } == EMFILE)
        // What is refused leaves nothing behind.
        #expect(files.holding(of: payer(1)).files == 8)
        #expect(files.holding(of: payer(1)).bytes == 7 << 20 + 4096)
        // A content that grows when it is read again.
        #expect(errno { try files.replace(small, snapshot(large + "z"), for: 24) } == ENOMEM)
        #expect(text(files.file(small)?.snapshot) == "s")
        files.remove(handles[0])
        #expect(errno { try files.replace(small, snapshot(large), for: 26) } == nil)
        #expect(files.holding(of: payer(1)).bytes == 7 << 20)
        for handle in handles + [small] { files.remove(handle) }
        #expect(files.all == OpenBudget.Holding())
    }

    @Test func triggersAreFewAndTheNextWorkerKnowsThem() throws {
        let memory = try makeMemory()
        let first = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        first.restore(worker: 1)
        let handles = try (1...64).map {
            try add(
                open("p"), to: first, opener: 2 * UInt64($0), for: payer(1), hasTrigger: true)
        }
        let plain = try add(open("p"), to: first, opener: 1000, for: payer(1))
        func one(_ files: OpenFiles, _ opener: UInt64) throws -> UInt64 {
            try add(
                open("p"), to: files, opener: opener, for: payer(1), hasTrigger: true)
        }
        #expect(errno { try one(first, 1002) } == EMFILE)

        let second = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        second.restore(worker: 2)
        #expect(
            second.holding(of: payer(1))
                == OpenBudget.Holding(files: 65, bytes: 65 * 4096, triggers: 64))
        #expect(errno { try one(second, 1004) } == EMFILE)
        // An OPEN that the former worker has answered is no further one.
        #expect(try one(second, 128) == handles[63])
        #expect(second.holding(of: payer(1)).triggers == 64)
        // Writing to one that is on the account takes no more; another one cannot become one.
        _ = second.file(handles[0])
        _ = second.file(plain)
        #expect(errno { try second.reserveTrigger(handles[0]) { payer(1) } } == nil)
        #expect(errno { try second.reserveTrigger(plain) { payer(1) } } == EMFILE)
        second.remove(handles[1])
        #expect(errno { try second.reserveTrigger(plain) { payer(1) } } == nil)
        #expect(second.holding(of: payer(1)).triggers == 64)
        // One of them is not looked at by this worker before it is closed.
        for handle in handles + [plain] { second.remove(handle) }
        #expect(second.all == OpenBudget.Holding())
    }

    /// Release 0.1.0 writes entries without saying who pays, over what others have left there.
    @Test func anEntryOfAnOldWorkerHasNobodyWhoPays() throws {
        let memory = try makeMemory()
        let table = OpenFileTable(memory.start(of: .openFiles))
        let first = try OpenFiles(table)
        first.restore(worker: 1)
        let handle = try add(
            open("one"), to: first, opener: 2, for: payer(1), hasTrigger: true)
        // The entry is the first one; its serial is at 4, and in the upper half of the handle.
        let entry = memory.start(of: .openFiles)
        let serial = UInt32(handle >> 32) + 7
        entry.storeBytes(of: serial, toByteOffset: 4, as: UInt32.self)
        let second = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        second.restore(worker: 2)
        #expect(second.holding(of: payer(1)) == OpenBudget.Holding())
        #expect(second.holding(of: .none) == OpenBudget.Holding(files: 1, bytes: 4096))
        let anew = UInt64(serial) << 32 | handle & 0xffff_ffff
        #expect(text(second.file(anew)?.snapshot) == "one")
        // Who writes to it pays from then on.
        try second.reserveTrigger(anew) { payer(3) }
        let holding = OpenBudget.Holding(files: 1, bytes: 4096, triggers: 1)
        #expect(second.holding(of: payer(3)) == holding)
        let third = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        third.restore(worker: 3)
        #expect(third.holding(of: payer(3)) == holding)
        third.remove(anew)
        #expect(third.all == OpenBudget.Holding())
    }

    @Test func memoryOfClosedFilesGoesBackToTheSystem() throws {
        let file = try HandoverMemory.make(DaemonOptions(mountPoint: "/x"))
        let memory = try HandoverMemory(file)
        func resident() throws -> Int { Int(try file.status().st_blocks) * 512 }
        let files = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        files.restore(worker: 1)
        try files.tidyUp()
        let before = try resident()
        let large = String(repeating: "z", count: 1 << 20)
        let stays = try add(open("stays"), to: files, opener: 2, for: payer(0))
        let handles = try (2...41).map {
            try add(open(large), to: files, opener: 2 * UInt64($0), for: payer(UInt32($0 / 4)))
        }
        #expect(try resident() >= before + 40 << 20)
        for handle in handles { files.remove(handle) }
        try files.tidyUp()
        #expect(try resident() < before + 1 << 20)
        #expect(files.table.spareBytes == 0)
        #expect(text(files.file(stays)?.snapshot) == "stays")
        // Also what was left by a worker that was killed.
        let more = try add(open(large), to: files, opener: 100, for: payer(1))
        files.table.remove(more)
        let second = try OpenFiles(OpenFileTable(memory.start(of: .openFiles)))
        second.restore(worker: 2)
        try second.tidyUp()
        #expect(try resident() < before + 1 << 20)
        #expect(text(second.file(stays)?.snapshot) == "stays")
    }
}
