import Syscalls

/// The gate of each container: one, whether it is registered, or found by one who asks.
enum RequestGates {
    private struct Known { weak var gate: RequestGate? }
    private static let known = Guarded<[String: Known]>([:])

    /// - Parameter cgroup: what the container is known by, see `CgroupPaths.display`. Containers
    ///   without a cgroup of their own share a gate, as they share their limits.
    static func gate(ofCgroup cgroup: String) -> RequestGate {
        known.withLock { known in
            if let gate = known[cgroup]?.gate { return gate }
            let made = RequestGate { forget(cgroup) }
            known[cgroup] = Known(gate: made)
            return made
        }
    }

    private static func forget(_ cgroup: String) {
        // One of the same name that is there again must not end under the lock.
        let other = known.withLock { known -> RequestGate? in
            let other = known[cgroup]?.gate
            if other == nil { known[cgroup] = nil }
            return other
        }
        _ = consume other
    }

    static var count: Int { known.withLock { $0.count } }
}
