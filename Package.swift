// swift-tools-version: 6.2
import PackageDescription

// Ships as one file: start-up is four times faster than with dynamic linking, and the
// target machine needs no Swift. Debug builds and tests stay dynamic. See docs/design.md.
let staticExecutable: [String] = ["-static-executable"]
let shippedSwift: [SwiftSetting] = [
    .unsafeFlags(staticExecutable, .when(configuration: .release))
]
let shippedLinker: [LinkerSetting] = [
    .unsafeFlags(staticExecutable + ["-Xlinker", "-s"], .when(configuration: .release))
]

// swift-argument-parser imports FoundationEssentials. Whether the linker is told of the static
// parts of that depends on the flag above, which packages that we depend on do not get.
let staticFoundation: [LinkerSetting] = ["_FoundationCollections", "_FoundationCShims"].map {
    .linkedLibrary($0, .when(configuration: .release))
}

// Without _GNU_SOURCE the Glibc module hides O_PATH, setns, accept4 and others.
let gnuSource: [CSetting] = [.define("_GNU_SOURCE")]

let package = Package(
    name: "lxcfs-hook",
    products: [
        .executable(name: "lxcfsd", targets: ["lxcfsd"]),
        .executable(name: "lxcfs-hook", targets: ["lxcfs-hook"]),
        .executable(name: "lxcfs-runtime", targets: ["lxcfs-runtime"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CFuse3", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        .systemLibrary(
            name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
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

        // What lxcfsd prints for people and for programs that watch it; pure.
        .target(name: "Reports", dependencies: ["Control"]),

        // The daemon. What the keeper and the page cache must not know, they cannot import.
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

        .executableTarget(
            name: "lxcfsd",
            dependencies: [
                "Control", "JSON", "LxcfsFS", "LxcfsHandover", "LxcfsKeeper", "Reports",
                "Syscalls",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: shippedSwift, linkerSettings: shippedLinker + staticFoundation),
        .executableTarget(
            name: "lxcfs-hook", dependencies: ["LxcfsHook"],
            swiftSettings: shippedSwift, linkerSettings: shippedLinker),
        .target(name: "CRuntimeMark"),
        .executableTarget(
            name: "lxcfs-runtime", dependencies: ["CRuntimeMark", "LxcfsHook"],
            swiftSettings: shippedSwift, linkerSettings: shippedLinker),

        // How the kernel writes its files, for all tests.
        .target(name: "KernelGrammar", path: "Tests/grammar"),
        .executableTarget(
            name: "readload", dependencies: ["KernelGrammar"], path: "Tests/readload",
            swiftSettings: shippedSwift,
            linkerSettings: shippedLinker),
        .testTarget(
            name: "SyscallsTests", dependencies: ["Syscalls"], cSettings: gnuSource),
        .testTarget(name: "JSONTests", dependencies: ["JSON"]),
        .testTarget(
            name: "OCISpecTests", dependencies: ["JSON", "OCISpec"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "KernelTextTests", dependencies: ["KernelText"], cSettings: gnuSource),
        .testTarget(
            name: "CgroupsTests", dependencies: ["Cgroups"], resources: [.copy("Fixtures")],
            cSettings: gnuSource),
        .testTarget(
            name: "ProcViewTests", dependencies: ["KernelGrammar", "ProcView"],
            exclude: ["Golden"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "LxcfsFSTests",
            dependencies: [
                "LxcfsFS", "LxcfsHandover", "LxcfsKeeper", "LxcfsPageCache",
            ],
            resources: [.copy("Fixtures")], cSettings: gnuSource),
        .testTarget(
            name: "LxcfsHookTests", dependencies: ["LxcfsHook"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "ReportsTests", dependencies: ["Control", "JSON", "Reports"],
            exclude: ["Golden"]),
    ],
    swiftLanguageModes: [.v6]
)
