import Cgroups
import Glibc
import KernelGrammar
import KernelText

/// A target takes any bytes, and traps when what must hold does not.
typealias FuzzTarget = @Sendable (Bytes) -> Void

private let targets: [String: FuzzTarget] = [
    "adapted": fuzzAdaptedConfig,
    "agent": fuzzAgentMessage,
    "cgroupdir": fuzzCgroupDirectory,
    "config": fuzzConfig,
    "control": fuzzControl,
    "counters": fuzzCounterRecords,
    "cpuinfo": fuzzCpuinfo,
    "directory": fuzzDirectory,
    "hookfile": fuzzHookFile,
    "invocation": fuzzInvocation,
    "ledger": fuzzLedger,
    "lists": fuzzLists,
    "mark": fuzzMark,
    "meminfo": fuzzMeminfo,
    "memorymaps": fuzzMemoryMaps,
    "mountinfo": fuzzMountinfo,
    "nodes": fuzzNodes,
    "policy": fuzzPolicy,
    "seccomp": fuzzSeccomp,
    "state": fuzzState,
    "statefile": fuzzStateFile,
    "stat": fuzzStat,
    "tables": fuzzTables,
    "worker": fuzzWorker,
]

/// The one that `FUZZ_TARGET` names.
private let chosen: FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        print(targets.keys.sorted().joined(separator: "\n"))
        exit(2)
    }
    return target
}()

// LeakSanitizer does not see what is stored as the payload of an enumeration, in whose pointers Swift
// hides which case it is. The grammars live as long as the process.
@_silgen_name("__lsan_disable") private func ignoreAllocations()
@_silgen_name("__lsan_enable") private func mindAllocations()

@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    _ = chosen
    ignoreAllocations()
    _ = FileGrammar.all
    mindAllocations()
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    chosen(Bytes(start: data, count: size))
    return 0
}
