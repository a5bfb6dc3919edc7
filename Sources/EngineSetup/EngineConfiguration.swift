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

    /// The unit that is reloaded or restarted so that the engine sees a change, and with which word
    /// of systemctl; nil if the engine reads its configuration each time.
    var restart: (verb: String, unit: String)? { get }

    /// What is to be said of that to who does it by hand.
    var restartNote: String { get }
}

extension EngineName {
    var configuration: any EngineConfiguration {
        switch self {
        case .docker: DockerConfiguration()
        case .containerd: ContainerdConfiguration()
        case .podman: PodmanSetup()
        case .crio: CRIOConfiguration()
        }
    }
}
