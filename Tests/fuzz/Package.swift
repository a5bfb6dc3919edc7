// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the one that ships knows nothing of fuzzing. Tests/fuzz/run
// puts it together in .build/fuzz: `Sources` and `Grammar` are the
// repository's, `Targets` is this directory's.
let gnuSource: [CSetting] = [.define("_GNU_SOURCE")]

let package = Package(
    name: "lxcfs-hook-fuzz",
    products: [.library(name: "Fuzz", type: .static, targets: ["Targets"])],
    dependencies: [.package(url: "https://github.com/apple/swift-log", from: "1.6.0")],
    targets: [
        .systemLibrary(name: "CFuse3", path: "Sources/CFuse3", pkgConfig: "fuse3"),
        .systemLibrary(name: "CSeccomp", path: "Sources/CSeccomp", pkgConfig: "libseccomp"),
        .target(name: "CLinux"),
        .target(name: "Syscalls", dependencies: ["CLinux"], cSettings: gnuSource),
        .target(name: "JSON"),
        .target(name: "OCISpec", dependencies: ["JSON"]),
        .target(name: "Control", dependencies: ["JSON", "Syscalls"], cSettings: gnuSource),
        .target(name: "KernelText", dependencies: ["Syscalls"], cSettings: gnuSource),
        .target(
            name: "Cgroups", dependencies: ["KernelText", "Syscalls"], cSettings: gnuSource),
        .target(
            name: "ProcView", dependencies: ["Cgroups", "KernelText", "Syscalls"],
            cSettings: gnuSource),
        .target(
            name: "LxcfsHandover",
            dependencies: ["CLinux", "CSeccomp", "Control", "JSON", "Syscalls"],
            path: "Sources/LxcfsFS/Handover", cSettings: gnuSource),
        .target(
            name: "LxcfsKeeper",
            dependencies: [
                "Control", "JSON", "KernelText", "LxcfsHandover", "Syscalls",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/LxcfsFS/Keeper", cSettings: gnuSource),
        .target(
            name: "LxcfsPageCache",
            dependencies: ["CLinux", "KernelText", "LxcfsHandover", "Syscalls"],
            path: "Sources/LxcfsFS/PageCache", cSettings: gnuSource),
        .target(
            name: "LxcfsFS",
            dependencies: [
                "CFuse3", "CLinux", "Cgroups", "Control", "JSON", "KernelText",
                "LxcfsHandover", "LxcfsPageCache", "OCISpec", "ProcView", "Syscalls",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Handover", "Keeper", "PageCache"], cSettings: gnuSource),
        .target(
            name: "LxcfsHook",
            dependencies: [
                "CLinux", "Cgroups", "Control", "JSON", "KernelText", "OCISpec", "Syscalls",
            ],
            cSettings: gnuSource),
        .target(name: "KernelGrammar", path: "Grammar"),
        .target(
            name: "Targets",
            dependencies: [
                "KernelGrammar", "KernelText", "LxcfsFS", "LxcfsHandover", "LxcfsHook",
                "LxcfsKeeper",
                "LxcfsPageCache",
            ],
            path: "Targets", cSettings: gnuSource),
    ],
    swiftLanguageModes: [.v6]
)
