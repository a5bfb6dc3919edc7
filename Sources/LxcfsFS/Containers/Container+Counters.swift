extension Container {
    /// Goes on with the counters of an earlier worker, once. The caller holds `lock`.
    func restoreCounters(_ host: Host) {
        if isRestored { return }
        isRestored = true
        // One that is known by its callers is one of as many as it likes.
        guard !isHost, slot != 0 || gate.records.take(within: 0) else { return }
        records = host.records
        host.records.restore(owner, &counters, now: host.now())
    }

    /// Keeps the counters for the next worker. The caller holds `lock`.
    func saveCounters(_ host: Host) {
        records?.save(owner, &counters, now: host.now())
    }

    /// Gives back the room of the counters. The caller holds `lock`.
    func removeCounters(_ host: Host) { host.records.remove(owner, &counters) }
}
