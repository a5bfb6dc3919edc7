import Cgroups
import Foundation
import KernelGrammar
import KernelText
import Testing

@testable import ProcView

/// Fails if a strict parser of that file would refuse `text`.
func expectGrammatical(
    _ path: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    guard let grammar = FileGrammar.of(path: path) else {
        Issue.record("no grammar for \(path)", sourceLocation: sourceLocation)
        return
    }
    let fault = withBytes(text, grammar.fault(in:))
    #expect(fault == nil, "\(path)", sourceLocation: sourceLocation)
}

/// What kernels write is right, what this project makes of it is, and what is nearly right is not.
@Suite struct GrammarTests {
    static let procFiles = [
        "cpuinfo", "diskstats", "loadavg", "meminfo", "slabinfo", "stat", "swaps", "uptime",
        "vmstat",
    ]

    @Test(arguments: Kernel.all) func kernels(_ kernel: Kernel) throws {
        for file in Self.procFiles {
            expectGrammatical("proc/\(file)", try kernel.text("proc/\(file)"))
        }
        for kind in ["cpu", "io", "memory"] {
            expectGrammatical("proc/pressure/\(kind)", try kernel.text("proc/pressure/\(kind)"))
        }
        for file in ["online", "offline", "possible", "present"] {
            expectGrammatical("cpu/\(file)", try kernel.text("sys/devices/system/cpu/\(file)"))
        }
        let cache = "sys/devices/system/cpu/cpu0/cache/index0"
        for file in ["\(cache)/shared_cpu_map", "\(cache)/shared_cpu_list"] {
            expectGrammatical(file, try kernel.text(file))
        }
    }

    @Test(arguments: ["arm64", "s390x"]) func architectures(_ name: String) throws {
        let file = repository.appendingPathComponent(
            "Tests/ProcViewTests/Fixtures/\(name)/cpuinfo")
        expectGrammatical("proc/cpuinfo", try String(contentsOf: file, encoding: .utf8))
    }

    /// The files that ``GoldenTests`` compares with.
    @Test(arguments: Kernel.all) func golden(_ kernel: Kernel) throws {
        for file in Self.procFiles {
            let golden = repository.appendingPathComponent(
                "Tests/ProcViewTests/Golden/\(kernel.name)/\(file)")
            expectGrammatical("proc/\(file)", try String(contentsOf: golden, encoding: .utf8))
        }
    }

    /// Files that only one of the kernels was asked for.
    @Test(arguments: ["Fixtures", "Golden"]) func nodesAndDisks(_ directory: String) throws {
        let tests = repository.appendingPathComponent("Tests/ProcViewTests")
        let node = directory == "Fixtures" ? "sys/devices/system/node/node0" : "node0"
        var files = ["meminfo", "vmstat", "numastat"].map { "\(node)/\($0)" }
        if directory == "Fixtures" {
            files += [
                "\(node)/cpulist", "\(node)/cpumap", "sys/devices/system/node/has_memory",
            ]
            files += ["sys/block/loop0/stat", "sys/block/loop0/inflight"]
        }
        for file in files {
            let path = tests.appendingPathComponent("\(directory)/6.18/\(file)")
            let text = try String(contentsOf: path, encoding: .utf8)
            expectGrammatical(file, text)
            for broken in [
                " \(text)", text.dropLast() + " \n", text.replacing(" ", with: "  "),
            ]
            where broken != text {
                let grammar = try #require(FileGrammar.of(path: file))
                #expect(withBytes(broken, grammar.fault(in:)) != nil, "\(file)")
            }
        }
    }

    /// Each of what a torn or padded content would have.
    @Test(arguments: Kernel.all) func whatIsNearlyRight(_ kernel: Kernel) throws {
        for file in Self.procFiles where file != "diskstats" && file != "vmstat" {
            let text = try kernel.text("proc/\(file)")
            let grammar = try #require(FileGrammar.of(path: "proc/\(file)"))
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let first = String(lines[0])
            let last = String(lines.last { !$0.isEmpty } ?? "")
            var broken: [String] = [
                String(text.dropLast()), "\(text)\0", "\(text.dropLast())  \n",
                "\(text)\n\n\n ", "\0\0\(text.dropFirst(2))", "\(text)7\n",
                "\(text)\(last.suffix(3))\n", " \(text)",
                text.replacing(" ", with: "  "), "\(first) \(text.dropFirst(first.count))",
            ]
            // Nobody could tell that of a number.
            if lines.count > 2 { broken.append(String(text.dropFirst(3))) }
            for broken in broken where broken != text {
                #expect(
                    withBytes(broken, grammar.fault(in:)) != nil,
                    "\(file): \(broken.suffix(60).debugDescription)")
            }
        }
    }

    @Test func numbers() {
        func fits(_ format: String, _ text: String) -> Bool {
            withBytes(text, LineFormat(format).matches)
        }
        for text in ["0", "7", "18446744073709551615"] { #expect(fits("%u", text)) }
        for text in ["", " 7", "07", "7 ", "-7", "7x"] { #expect(!fits("%u", text)) }
        for text in ["    7", "12345", "123456", "    0"] { #expect(fits("%5u", text)) }
        for text in ["7", "   7", "     7", " 123456", "00007"] { #expect(!fits("%5u", text)) }
        for text in ["00", "07", "99"] { #expect(fits("%02u", text)) }
        for text in ["7", " 7", "007"] { #expect(!fits("%02u", text)) }
        for text in ["-2", "0", "100"] { #expect(fits("%d", text)) }
        for text in ["-", "--2", "-02"] { #expect(!fits("%d", text)) }
    }

    @Test func lists() {
        for text in ["", "0", "0-3", "0,2", "0-1,3-4,9", "10"] {
            #expect(withBytes(text + "\n", FileGrammar.list.fault(in:)) == nil, "\(text)")
        }
        for text in ["0-", "3-0", "0,1", "0-1,2", "1-1", ",1", "0, 2", "2,0", "00", "0 "] {
            #expect(withBytes(text + "\n", FileGrammar.list.fault(in:)) != nil, "\(text)")
        }
        for text in ["3", "00000000,00000003", "ff,ffffffff"] {
            #expect(withBytes(text + "\n", FileGrammar.mask.fault(in:)) == nil, "\(text)")
        }
        for text in ["", "3,3", "000000003", "3 ", "F"] {
            #expect(withBytes(text + "\n", FileGrammar.mask.fault(in:)) != nil, "\(text)")
        }
    }

    @Test func wordsAndGroups() {
        func fits(_ format: String, _ text: String) -> Bool {
            withBytes(text, LineFormat(format).matches)
        }
        #expect(fits("%-8k%4u kB", "Slab:     12 kB"))
        #expect(!fits("%-8k%4u kB", "Slab       12 kB"))
        #expect(!fits("%-8k%4u kB", "Slab:       12 kB"))
        #expect(fits("%-4k%u", "Longer:5"))
        #expect(fits("a( %u){2}", "a 1 2") && !fits("a( %u){2}", "a 1"))
        #expect(!fits("a( %u){2}", "a 1 2 3") && fits("a( %u)*", "a") && fits("a(b)?", "a"))
        #expect(
            fits("x:( %*)?", "x:") && fits("x:( %*)?", "x: y z") && !fits("x:( %*)?", "x: y "))
    }

    @Test func aLineTwice() {
        let text = "MemTotal:              7 kB\nMemFree:               7 kB\n"
        #expect(withBytes(text, FileGrammar.meminfo.fault(in:)) == nil)
        let twice = text + "MemFree:               8 kB\n"
        #expect(withBytes(twice, FileGrammar.meminfo.fault(in:)) == "twice: MemFree:")
    }
}
