extension InterceptedSet {
    /// What the options say, unless the container says otherwise.
    init(_ options: InterceptedSet, _ wishes: ContainerWishes) {
        self = options
        for (wish, member) in [(wishes.sysinfo, Self.sysinfo), (wishes.affinity, .affinity)] {
            if wish == true { insert(member) }
            if wish == false { remove(member) }
        }
    }
}
