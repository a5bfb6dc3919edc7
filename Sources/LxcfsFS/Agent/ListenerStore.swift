/// Keeps notify descriptors beyond the life of this process. Without one of them
/// open anywhere, intercepted calls fail with `ENOSYS`.
protocol ListenerStore: AnyObject, Sendable {
    /// - Throws: if it is not kept so far. It may be later: descriptors are sent on a socket, and
    ///   there may be too many on the way.
    func keep(_ listener: AgentListener) throws
    func forget(_ listener: AgentListener) throws
}
