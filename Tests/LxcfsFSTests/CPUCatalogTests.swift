import Foundation
import Glibc
import KernelText
import ProcView
import Syscalls
import Testing

@testable import LxcfsFS
@testable import LxcfsHandover
@testable import LxcfsKeeper
@testable import LxcfsPageCache

@Suite struct CPUCatalogTests {
    /// A sysfs with two CPUs, of which only the second has a cache.
    private func fixture() throws -> FileDescriptor {
        let root = NSTemporaryDirectory() + "catalog-" + UUID().uuidString
        let cpu = root + "/devices/system/cpu"
        func write(_ path: String, mode: Int = 0o444) throws {
            let url = URL(fileURLWithPath: cpu + "/" + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try "0\n".write(to: url, atomically: false, encoding: .utf8)
            chmod(url.path, mode_t(mode))
        }
        for name in ["online", "possible", "kernel_max", "vulnerabilities/meltdown"] {
            try write(name)
        }
        for number in 0...1 {
            try write("cpu\(number)/topology/core_id")
            try write("cpu\(number)/topology/core_cpus_list")
            try write("cpu\(number)/crash_notes", mode: 0o400)
        }
        try write("cpu1/cache/index0/shared_cpu_map")
        try write("cpu1/online")
        symlink("../../../../bus/cpu", cpu + "/cpu0/subsystem")
        let descriptor = try FileDescriptor.open(root, O_PATH | O_DIRECTORY)
        return descriptor
    }

    @Test func showsWhatEverybodyMayReadAndNothingElse() throws {
        let catalog = try CPUCatalog(sys: try fixture())
        #expect(catalog.fixed == [.online, .possible])
        let names = Set(catalog.entries.values.map { ($0.perCPU ? "cpuN/" : "") + $0.path })
        #expect(
            names == [
                "kernel_max", "vulnerabilities", "vulnerabilities/meltdown", "cpuN/topology",
                "cpuN/topology/core_id", "cpuN/topology/core_cpus_list", "cpuN/cache",
                "cpuN/cache/index0", "cpuN/cache/index0/shared_cpu_map", "cpuN/subsystem",
                "cpuN/online",
            ])
        #expect(!names.contains("cpuN/crash_notes"))
    }

    @Test func knowsWhatDependsOnTheOnlineCPUs() throws {
        let catalog = try CPUCatalog(sys: try fixture())
        func kind(_ path: String) -> CPUCatalog.Kind? {
            catalog.entries[CPUCatalog.number(path: path, perCPU: true)]?.kind
        }
        #expect(kind("online") == .file(.online))
        #expect(kind("topology/core_cpus_list") == .file(.list))
        #expect(kind("cache/index0/shared_cpu_map") == .file(.mask))
        #expect(kind("topology/core_id") == .file(.plain))
        #expect(kind("subsystem") == .link(target: "../../../../bus/cpu"))
    }

    @Test func aCPUHasWhatTheHostHasOfIt() throws {
        let sys = try fixture()
        let catalog = try CPUCatalog(sys: sys)
        func has(_ path: String, _ cpu: Int) throws -> Bool {
            let entry = try #require(
                catalog.entries[CPUCatalog.number(path: path, perCPU: true)])
            return catalog.has(entry, cpu: cpu, sys: sys)
        }
        #expect(try has("topology/core_id", 0) && has("topology/core_id", 1))
        #expect(try !has("online", 0) && has("online", 1))
        #expect(try !has("cache", 0) && has("cache/index0", 1))
        func paths(_ extent: CPUTopology.Extent) -> Set<String> {
            Set(catalog.entries.values.filter { $0.extent == extent }.map(\.path))
        }
        #expect(paths(.usable) == ["topology", "topology/core_id"])
        #expect(
            paths(.visible) == [
                "topology/core_cpus_list", "cache", "cache/index0",
                "cache/index0/shared_cpu_map",
            ])
    }

    @Test func directoriesOfCPUs() throws {
        let sys = try fixture()
        #expect(try CPUCatalog.directories(sys: sys) == [0, 1])
        #expect(try CPUCatalog.possibleCPUs(sys: sys).cpus == [0])
        let found = (0..<3).map { CPUCatalog.hasDirectory(of: $0, sys: sys) }
        #expect(found == [true, true, false])
    }

    @Test(arguments: [
        ("cpu0", 0), ("cpu4095", 4095), ("cpu4096", nil), ("cpu-1", nil), ("cpu+1", nil),
        ("cpu01", nil), ("cpu", nil), ("cpufreq", nil), ("cpu0/..", nil), ("", nil),
    ]) func namesOfDirectories(_ name: String, _ cpu: Int?) {
        #expect(CPUCatalog.number(ofDirectory: name) == cpu)
    }

    @Test func theRealOneHasNoCollisionsOfNumbers() throws {
        let sys = try FileDescriptor.open("/sys", O_PATH | O_DIRECTORY)
        let catalog = try CPUCatalog(sys: sys)
        #expect(catalog.fixed.contains(.online))
        #expect(catalog.entries.values.contains { $0.path == "topology/core_id" })
        var paths = Set<String>()
        for (number, entry) in catalog.entries {
            #expect(number >= 4096)
            #expect(paths.insert("\(entry.perCPU) \(entry.path)").inserted)
            for child in entry.children { #expect(catalog.entries[child] != nil) }
        }
    }
}
