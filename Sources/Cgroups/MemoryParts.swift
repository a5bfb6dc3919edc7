/// What of a container's memory to ask the kernel for. What the host has none of, no container
/// has; to ask all the same costs several calls for each cgroup on the way to the root.
public struct MemoryParts: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let swap = MemoryParts(rawValue: 1)
    public static let hugePages = MemoryParts(rawValue: 2)
    public static let all: MemoryParts = [.swap, .hugePages]
}
