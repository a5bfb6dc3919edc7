import Glibc
import Syscalls

extension Container {
    /// How large it is. Does not wait for those who read its files: if they have it all the time,
    /// this is as it was when it was asked for last.
    func sizes(_ host: Host, _ workspace: Workspace) -> ShownSizes {
        for attempt in 0..<Self.attempts {
            if attempt > 0 { usleep(100) }
            guard lock.tryLock() else { continue }
            defer { lock.unlock() }
            var sizes = ShownSizes()
            if (try? updateVisible(host, workspace)) != nil { sizes.cpus = visible.list.count }
            if let facts = try? readMemory(host, workspace) {
                sizes.memory = try? memoryView(facts, host).total
            }
            let found = sizes
            lastSizes.withLock { $0 = found }
            return sizes
        }
        return lastSizes.withLock { $0 }
    }

    private static let attempts = 10
}
