import LxcfsHook

/// How an engine is told to use this hook. Reads files, and changes none.
protocol EngineConfiguration {
    /// What `install` changes.
    func installation(_ request: SetupRequest, _ root: Root) throws(SetupError) -> SetupPlan

    /// What a file is without what `install` has added, if others have changed it since.
    ///
    /// - Parameters:
    ///   - current: the file as it is.
    ///   - original: as it was before `install`, if there was one.
    /// - Returns: nil for no file.
    func withoutOurs(
        _ current: [UInt8], path: String, original: [UInt8]?
    ) throws(SetupError) -> [UInt8]?

    /// Whether the engine is here, and would have a new container served.
    func findings(_ root: Root) -> [Finding]

    /// How the engine is made to see a change; nil if it reads its configuration each time.
    func restart(after action: SetupRequest.Action) -> EngineRestart?
}
