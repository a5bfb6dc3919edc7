import Cgroups
import Foundation
import Glibc
import Logging
import ProcView
import Testing

@testable import LxcfsFS

@Suite struct LedgerFileTests {
    private let path = NSTemporaryDirectory() + "ledger-" + UUID().uuidString
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func open(startTime: UInt64 = 7) throws -> LedgerFile {
        try LedgerFile(path, startTime: startTime, log: log)
    }

    private func ledger(_ steps: UInt64, cpus: Int = 3) -> CPULedger {
        var ledger = CPULedger()
        for step in 1...steps {
            ledger.update(
                .init(
                    age: step * 1_000_000,
                    time: CPUTime(user: step * 400_000, system: step * 9),
                    perCPU: (0..<cpus).map { step * UInt64($0 + 1) }), visible: cpus)
        }
        return ledger
    }

    /// Everything that a ledger knows.
    private func words(_ ledger: CPULedger?) -> [UInt64]? {
        var words: [UInt64] = []
        ledger?.encode(into: &words)
        return ledger == nil ? nil : words
    }

    @Test func theNextDaemonGoesOn() throws {
        defer { unlink(path) }
        let first = try open()
        #expect(try first.read() == nil)
        for steps in 1...5 as ClosedRange<UInt64> {
            first.write(ledger(steps))
            #expect(try words(open().read()) == words(ledger(steps)))
        }
        let second = try open()
        _ = try second.read()
        second.write(ledger(6))
        #expect(try words(open().read()) == words(ledger(6)))
    }

    @Test func anotherContainerStartsAnew() throws {
        defer { unlink(path) }
        try open().write(ledger(3))
        let other = try open(startTime: 8)
        #expect(try other.read() == nil)
        other.write(ledger(1))
        #expect(try words(open(startTime: 8).read()) == words(ledger(1)))
        #expect(try open().read() == nil)
    }

    @Test func aRecordThatWasNotFinishedIsNotRead() throws {
        defer { unlink(path) }
        let file = try open()
        file.write(ledger(3))
        file.write(ledger(4))
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let later = (0..<2).map { $0 * whole.count / 2 }.first { start in
            whole[start + 24] == 2
        }
        // Each byte of the newer record in turn is another one.
        let start = try #require(later)
        let length = Int(whole[start + 8]) * 8 + 16
        for index in stride(from: start, to: start + length, by: 5) {
            var spoilt = whole
            spoilt[index] ^= 0x40
            try spoilt.write(to: URL(fileURLWithPath: path))
            #expect(try words(open().read()) == words(ledger(3)), "byte \(index)")
        }
    }

    @Test func moreCPUsThanThereWere() throws {
        defer { unlink(path) }
        let file = try open()
        file.write(ledger(2))
        file.write(ledger(3, cpus: 700))
        #expect(try words(open().read()) == words(ledger(3, cpus: 700)))
        file.write(ledger(4, cpus: 700))
        #expect(try words(open().read()) == words(ledger(4, cpus: 700)))
    }

    @Test(
        arguments: [[], [0], [1, 2, 3], Array(repeating: UInt64.max, count: 40)] as [[UInt64]])
    func garbageIsNoLedger(_ words: [UInt64]) {
        #expect(CPULedger(decoding: words[...]) == nil)
    }

    @Test(arguments: [0, 1, 4096, 8192, 8193, 40960]) func garbageIsNoFile(_ size: Int) throws {
        defer { unlink(path) }
        try Data(repeating: 0xa5, count: size).write(to: URL(fileURLWithPath: path))
        let file = try open()
        #expect(try file.read() == nil)
        file.write(ledger(2))
        #expect(try words(open().read()) == words(ledger(2)))
    }
}
