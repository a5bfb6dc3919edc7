/// How a container came to be registered: what tells it from others that have its id.
struct ContainerOrigin: Equatable {
    /// The process that was named: the container's own init, where that of its pid namespace may be
    /// a pod's.
    let process: Int32
    /// When it started, in nanoseconds since boot.
    let startTime: UInt64
    /// The directory of its config.json; nil if no runtime has registered it.
    let bundle: String?
}

extension ContainerOrigin {
    /// Whether a runtime may mean this container when it says that one of `bundle` has ended.
    func mayBe(of bundle: String?) -> Bool {
        guard let bundle, let own = self.bundle else { return true }
        return bundle == own
    }
}
