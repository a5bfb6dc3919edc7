import CLinux
import Foundation
import Glibc
import KernelText
import Syscalls
import Testing

@testable import Cgroups

/// Directories that stand for /proc/<tid>/task/<tid>, and count how often a state is asked for.
private final class ThreadsFixture {
    let root: String
    private let events: FileDescriptor

    init() throws {
        root = NSTemporaryDirectory() + "threads-test-" + UUID().uuidString
        events = FileDescriptor(owning: inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)))
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
        for state in ["R", "S", "D"] {
            let directory = root + "/" + state
            try FileManager.default.createDirectory(
                atPath: directory + "/task", withIntermediateDirectories: true)
            let numbers = (5...22).map { "\($0)" }.joined(separator: " ")
            try "1 (a) b) \(state) 1 \(numbers)\n".write(
                toFile: directory + "/stat", atomically: false, encoding: .utf8)
            inotify_add_watch(events.raw, directory, UInt32(IN_OPEN | IN_CLOSE_NOWRITE))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func add(_ tids: some Sequence<Int>, _ state: String) {
        for tid in tids {
            symlink(state, root + "/\(tid)")
            symlink("..", root + "/\(state)/task/\(tid)")
        }
    }

    /// How many states have been asked for since the last time.
    func asked() -> Int {
        var count = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let size = read(events.raw, &buffer, buffer.count), size > 0 {
            var place = 0
            while place + 16 <= size {
                let length = buffer[place + 12..<place + 16].withUnsafeBytes {
                    Int($0.loadUnaligned(as: UInt32.self))
                }
                let name = buffer[place + 16..<place + 16 + length].prefix { $0 != 0 }
                // Two of a kind, one after the other, would be told of as one.
                let isOpening = buffer[place + 4] & UInt8(IN_OPEN) != 0
                if isOpening, name.elementsEqual("stat".utf8) { count += 1 }
                place += 16 + length
            }
        }
        return count
    }

    func look(
        _ container: ContainerCgroups, _ sweep: inout TaskSweep,
        _ budget: TaskBudget = .inPlace, expected: Int? = nil
    ) throws -> TaskLook {
        var budget = budget
        // How long that takes here, in a debug build on a machine with other work, is not tested.
        if budget == .inPlace { budget.time = 60_000_000_000 }
        return try container.lookAtTasks(
            FileDescriptor.open(root, O_RDONLY | O_DIRECTORY), budget, &sweep,
            expected: expected, Scratch())
    }
}

private func list(_ tids: some Sequence<Int>) -> String {
    tids.map { "\($0)\n" }.joined()
}

@Suite struct TaskLookTests {
    @Test(arguments: [true, false])
    func ofFewThreadsEachIsLookedAt(unified: Bool) throws {
        let name = unified ? "cgroup.threads" : "tasks"
        let top = unified ? "c" : "cpu/c"
        let cgroups = try CgroupFixture([
            "\(top)/\(name)": list(1...4), "\(top)/a/\(name)": list(5...7),
            "\(top)/a/b/\(name)": list(8...8), "\(top)/e/\(name)": "",
        ])
        let threads = try ThreadsFixture()
        threads.add([1, 5, 8], "R")
        threads.add([2, 9], "D")
        threads.add([3, 4, 6], "S")  // 7 has ended.
        // A name that is no text.
        let odd = "\(cgroups.root)/\(top)/e/".utf8.map(CChar.init(bitPattern:)) + [-1]
        try #require(mkdir(odd + [0], 0o700) == 0)
        let file = open(odd + "/\(name)".utf8CString, O_WRONLY | O_CREAT, 0o600)
        try FileDescriptor(owning: file).write("9\n".utf8)
        let container =
            try unified ? cgroups.unifiedContainer("/c") : cgroups.legacyContainer("/c")
        var sweep = TaskSweep()
        let look = try threads.look(container, &sweep)
        #expect(look.extent == .all)
        #expect(look.counts.running == 3 && look.counts.blocked == 2)
        #expect(look.counts.total == 8)
        #expect(look.listed == 9)
        #expect(look.fits(.inPlace))
        #expect(!sweep.isUnderWay)
        #expect(threads.asked() == 8)
    }

    @Test func ofManyThreadsASampleIsScaledUp() throws {
        let cgroups = try CgroupFixture(["c/cgroup.threads": list(1...2000)])
        let threads = try ThreadsFixture()
        threads.add(1...400, "R")
        threads.add(401...600, "D")
        threads.add(601...2000, "S")
        let container = try cgroups.unifiedContainer("/c")
        var sweep = TaskSweep()
        var running = 0
        for _ in 0..<8 {
            let look = try threads.look(container, &sweep)
            #expect(threads.asked() == TaskBudget.inPlace.threads)
            #expect(look.extent == .round)
            #expect((200...600).contains(look.counts.running))
            #expect((60...400).contains(look.counts.blocked))
            #expect(!look.fits(.inPlace))
            running += look.counts.running
        }
        // Others each time: so their mean is closer.
        #expect((320...480).contains(running / 8))
    }

    @Test func aListThatIsLongerThanTheBudgetIsTakenForTheWhole() throws {
        let cgroups = try CgroupFixture(["c/cgroup.threads": list(100_000..<104_000)])
        let threads = try ThreadsFixture()
        threads.add(100_000..<104_000, "R")
        let container = try cgroups.unifiedContainer("/c")
        var sweep = TaskSweep()
        // 7 bytes each: 2,340 of them.
        let look = try threads.look(container, &sweep, expected: 4000)
        #expect(look.extent == .round)
        #expect(look.listed <= TaskBudget.inPlace.listed / 7)
        #expect(look.counts.running == 4000)
        #expect(threads.asked() <= TaskBudget.inPlace.threads)
    }

    @Test func inTheEndEachOfManyCgroupsIsSeen() throws {
        let cgroups = try CgroupFixture(["c/cgroup.threads": list(1...2)])
        let threads = try ThreadsFixture()
        threads.add([1], "R")
        threads.add([2], "S")
        var next = 3
        for outer in 0..<20 {
            for inner in 0..<20 {
                let path = "c/\(outer)/\(inner)/cgroup.threads"
                try cgroups.write(path, list(next...next))
                threads.add([next], inner % 4 == 0 ? "R" : "S")
                next += 1
            }
            try cgroups.write("c/\(outer)/cgroup.threads", "")
        }
        let container = try cgroups.unifiedContainer("/c")
        let budget = TaskBudget(threads: 64, cgroups: 30, listed: 4096, time: 1_000_000_000)
        var sweep = TaskSweep()
        for _ in 0..<3 {
            var looks = 0
            var look = TaskLook()
            repeat {
                look = try threads.look(container, &sweep, budget)
                looks += 1
                #expect(look.cgroups <= 30)
                #expect(look.counts.running <= 101)
            } while look.extent == .part && looks < 100
            #expect(looks == 15)  // 421 cgroups
            #expect(look.extent == .round)
            #expect(look.counts.running == 101)
            #expect(look.counts.total == 402)
        }
    }

    @Test func cgroupsMayGoAndComeBetweenTwoLooks() throws {
        let cgroups = try CgroupFixture(["c/cgroup.threads": ""])
        for index in 0..<50 { try cgroups.write("c/\(index)/d/cgroup.threads", "") }
        for index in 0..<50 { try cgroups.write("c/\(index)/cgroup.threads", "") }
        let threads = try ThreadsFixture()
        let container = try cgroups.unifiedContainer("/c")
        let budget = TaskBudget(threads: 64, cgroups: 7, listed: 4096, time: 1_000_000_000)
        var sweep = TaskSweep()
        for index in 0..<50 {
            _ = try threads.look(container, &sweep, budget)
            try cgroups.remove("c/\(index)")
            try cgroups.write("c/new\(index)/cgroup.threads", "")
        }
        var rest = 0
        while try threads.look(container, &sweep, budget).extent == .part { rest += 1 }
        #expect(rest < 20)
    }

    @Test func whereAllAreFoundNoMoreCgroupsAreLookedInto() throws {
        let cgroups = try CgroupFixture(["c/cgroup.threads": list(1...3)])
        for index in 0..<100 { try cgroups.write("c/\(index)/cgroup.threads", "") }
        let threads = try ThreadsFixture()
        threads.add(1...3, "R")
        let container = try cgroups.unifiedContainer("/c")
        var sweep = TaskSweep()
        let look = try threads.look(container, &sweep, expected: 3)
        #expect(look.cgroups == 1 && look.extent == .all && look.counts.running == 3)
    }

    @Test func noDeeperThanSoManyLevels() throws {
        var path = "c"
        for _ in 0..<60 { path += "/d" }
        let cgroups = try CgroupFixture([path + "/cgroup.threads": list(1...1)])
        var at = "c"
        for _ in 0..<60 {
            try cgroups.write(at + "/cgroup.threads", "")
            at += "/d"
        }
        try cgroups.write("c/cgroup.threads", list(2...2))
        let threads = try ThreadsFixture()
        threads.add([1, 2], "R")
        let container = try cgroups.unifiedContainer("/c")
        var sweep = TaskSweep()
        let look = try threads.look(container, &sweep, expected: 2)
        #expect(look.cgroups == TaskSweep.deepest + 1)
        #expect(look.extent == .round && look.counts.running == 2)
    }

    @Test func aCgroupWhoseOwnerKeepsOthersOutIsLeftOut() throws {
        let cgroups = try CgroupFixture(["c/cgroup.threads": list(1...1)])
        // As one that is removed while we look: a directory without lists.
        mkdir(cgroups.root + "/c/gone", 0o700)
        let threads = try ThreadsFixture()
        threads.add([1], "R")
        var sweep = TaskSweep()
        let look = try threads.look(cgroups.unifiedContainer("/c"), &sweep)
        #expect(look.counts.running == 1)
    }

    @Test func aContainerThatIsGoneIsAnError() throws {
        let cgroups = try CgroupFixture(["c/cgroup.threads": list(1...1)])
        let container = try cgroups.unifiedContainer("/c")
        try cgroups.remove("c")
        let threads = try ThreadsFixture()
        var sweep = TaskSweep()
        #expect(throws: SystemError.self) { try threads.look(container, &sweep) }
    }

    @Test func whetherThereIsAnybodyTheKernelSays() throws {
        let scratch = Scratch()
        let cgroups = try CgroupFixture([
            "a/cgroup.events": "frozen 0\npopulated 1\n",
            "b/cgroup.events": "populated 0\nfrozen 0\n",
            "c/cgroup.events": "populated 1\n", "c/pids.current": "0\n",
            "pids/d/pids.current": "3\n", "cpu/e/tasks": "", "cpu/e/f/tasks": list(1...1),
            "cpu/g/tasks": "",
        ])
        #expect(try cgroups.unifiedContainer("/a").haveTasks(scratch))
        #expect(try !cgroups.unifiedContainer("/b").haveTasks(scratch))
        #expect(try !cgroups.unifiedContainer("/c").haveTasks(scratch))
        let tree = cgroups.legacy
        func legacy(_ controller: Controller, _ path: String) throws -> ContainerCgroups {
            var paths = [Controller.cpu: "/e"]
            paths[controller] = path
            return try ContainerCgroups(CgroupPaths(legacy: paths), in: tree)
        }
        #expect(try legacy(.pids, "/d").haveTasks(scratch))
        #expect(try legacy(.cpu, "/e").haveTasks(scratch))
        #expect(try !legacy(.cpu, "/g").haveTasks(scratch))
    }

    @Test func ofProcessesTheFirstAreTaken() throws {
        let cgroups = try CgroupFixture(["c/cgroup.procs": list(1...100_000)])
        let found = try cgroups.unifiedContainer("/c").processes(Scratch())
        #expect(found == (1...256).map { Int32($0) })
    }
}

@Suite struct PIDNamespaceTests {
    @Test(arguments: [true, false])
    func theNumberOfAThreadInItsOwnNamespaceIsItsOwn(asksKernel: Bool) throws {
        let proc = try FileDescriptor.open("/proc", O_RDONLY | O_DIRECTORY)
        let scratch = Scratch()
        let own = try PIDNamespace(of: getpid(), proc, scratch, asksKernel: asksKernel)
        #expect(own.number(of: getpid(), proc, scratch) == Int(getpid()))
        #expect(own.number(of: gettid(), proc, scratch) == Int(gettid()))
        #expect(own.number(of: .max, proc, scratch) == nil)
        #expect(PIDNamespace.ownNumber(of: gettid(), proc, scratch) == Int(gettid()))
        #expect(NamespacePIDs(ofProcess: getpid(), proc, scratch)?.depth == 1)
    }

    @Test func aStatusThatIsLongIsGivenUp() throws {
        let directory = NSTemporaryDirectory() + "status-test-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(
            atPath: directory + "/7", withIntermediateDirectories: true)
        let proc = try FileDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
        func number(groups: Int) throws -> (number: Int?, isTooLong: Bool) {
            let text = "Name:\ta\nGroups:\t" + String(repeating: "4294900000 ", count: groups)
            try (text + "\nNStgid:\t9\t1\nNSpid:\t9\t2\n").write(
                toFile: directory + "/7/status", atomically: false, encoding: .utf8)
            var isTooLong = false
            let found = NamespacePIDs(
                ofThread: 7, atDepth: 2, proc, Scratch(), isTooLong: &isTooLong)
            return (found?.asked, isTooLong)
        }
        #expect(try number(groups: 30) == (2, false))
        #expect(try number(groups: 65536) == (nil, true))
    }
}
