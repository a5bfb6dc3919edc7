extension InterceptedSet {
    /// What the options say, unless the container says otherwise. sysinfo(2) is answered where
    /// nobody says anything: the files alone are only half of what a container is told.
    init(_ options: Options, _ wishes: ContainerWishes) {
        self = options.intercepted
        // lxcfs has no agent.
        if case .daemon = options.origin, !options.withholdsSysinfo { insert(.sysinfo) }
        for (wish, member) in [(wishes.sysinfo, Self.sysinfo), (wishes.affinity, .affinity)] {
            if wish == true { insert(member) }
            if wish == false { remove(member) }
        }
    }
}
