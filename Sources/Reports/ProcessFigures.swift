/// What a process of the daemon costs.
public struct ProcessFigures: Sendable {
    /// `keeper` or `worker`.
    public let role: String
    /// In seconds: user and system.
    public var cpu: Double?
    /// In bytes.
    public var residentMemory: UInt64?
    public var threads: UInt64?
    public var openDescriptors: UInt64?
    public var mostDescriptors: UInt64?

    public init(role: String) { self.role = role }
}
