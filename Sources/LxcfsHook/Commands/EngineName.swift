/// A container engine that can be made to use this hook.
package enum EngineName: String, CaseIterable, Sendable {
    case docker, containerd, podman, crio
}
