import LxcfsHook

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
