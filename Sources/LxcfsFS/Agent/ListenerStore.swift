/// Somebody who keeps notify descriptors beyond the life of this process. Without one of them
/// open anywhere, intercepted calls fail with `ENOSYS`.
protocol ListenerStore: AnyObject, Sendable {
    func keep(_ listener: AgentListener)
    func forget(_ listener: AgentListener)
}
