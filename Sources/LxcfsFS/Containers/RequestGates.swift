import Syscalls

/// The gate of each container: one, whether it is registered, or found by one who asks, whatever pid
/// namespaces and cgroups it has made inside.
enum RequestGates {
    /// What is shared. A container chooses none of it but `cgroup` below its own.
    private enum Key: Hashable {
        /// That of a registered container.
        case registered(String)
        /// The outermost pid namespace below ours, of a container that is not registered.
        case namespace(NamespaceID)
        /// Of processes in our pid namespace: a service, or all that a user has.
        case cgroup(String)
    }

    private struct Known { weak var gate: RequestGate? }
    private static let known = Guarded<[Key: Known]>([:])

    /// - Parameter cgroup: what the container is known by, see `CgroupPaths.display`. Containers
    ///   without a cgroup of their own share a gate, as they share their limits.
    static func gate(ofRegistered cgroup: String, slot: UInt32) -> RequestGate {
        gate(.registered(cgroup), Payer(slot: slot))
    }

    /// - Parameters:
    ///   - cgroup: of who asks, or of its init.
    ///   - namespace: the outermost pid namespace below ours; nil for ours.
    static func gate(ofCaller cgroup: String, _ namespace: NamespaceID?) -> RequestGate {
        if let gate = registered(above: cgroup) { return gate }
        if let user = userSlice(of: cgroup) { return gate(.cgroup(user)) }
        return gate(namespace.map { .namespace($0) } ?? .cgroup(cgroup))
    }

    /// The gate of the registered container whose cgroup this is, or lies above it.
    private static func registered(above cgroup: String) -> RequestGate? {
        known.withLock { known in
            var path = cgroup[...]
            while path.utf8.count > 1 {
                if let gate = known[.registered(String(path))]?.gate { return gate }
                path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
            }
            return nil
        }
    }

    /// The cgroup of all that a user of the host has, who may make cgroups and pid namespaces below:
    /// `/user.slice/user-1000.slice` where systemd makes them.
    static func userSlice(of cgroup: String) -> String? {
        let parts = cgroup.split(separator: "/", maxSplits: 2)
        guard parts.count > 1, parts[0] == "user.slice", parts[1].hasPrefix("user-") else {
            return nil
        }
        return "/\(parts[0])/\(parts[1])"
    }

    private static func gate(_ key: Key, _ payer: Payer? = nil) -> RequestGate {
        known.withLock { known in
            if let gate = known[key]?.gate { return gate }
            let made = RequestGate(payer) { forget(key) }
            known[key] = Known(gate: made)
            return made
        }
    }

    private static func forget(_ key: Key) {
        // One of the same name that is there again must not end under the lock.
        let other = known.withLock { known -> RequestGate? in
            let other = known[key]?.gate
            if other == nil { known[key] = nil }
            return other
        }
        _ = consume other
    }

    static var count: Int { known.withLock { $0.count } }
}
