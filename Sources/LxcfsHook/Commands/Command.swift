/// What the program is asked to do.
enum Command: Equatable, Sendable {
    case stage(Stage)
    /// podman's stage at which a hook may change config.json (oci-hooks(5)).
    case precreate
    case attach(pid: Int32, id: String?)
    /// Mounts anew in every registered container whose mounts are dead.
    case attachAll
    case detach(pid: Int32, id: String?)
    /// Takes the files away from all containers.
    case detachAll
    case check(hookDirectories: [String], json: Bool)
    /// Makes an engine use this hook, or no longer.
    case setup(SetupRequest)
    /// Writes a seccomp profile. `base` is the file of another profile to start from.
    case seccompProfile(base: String?)
    case help
    case version

    /// Whether it is run for containers by a runtime: what users want of it is limited by the
    /// administrator's policy.
    var isForContainers: Bool {
        switch self {
        case .stage, .precreate: true
        default: false
        }
    }
}
