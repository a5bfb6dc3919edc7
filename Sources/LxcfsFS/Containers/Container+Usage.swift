import Cgroups
import Glibc
import KernelText
import ProcView
import Syscalls

extension Container {
    /// What it uses now, by the models from which its files are made. Like ``sizes(_:_:)``, this does
    /// not wait for those who read its files.
    func figures(watchesLoad: Bool, _ host: Host, _ workspace: Workspace) -> UsageFigures {
        for attempt in 0..<Self.attempts {
            if attempt > 0 { usleep(100) }
            guard lock.tryLock() else { continue }
            defer { lock.unlock() }
            let found = gather(watchesLoad: watchesLoad, host, workspace)
            lastFigures.withLock { $0 = found }
            return found
        }
        return lastFigures.withLock { $0 }
    }

    private static let attempts = 5

    private func gather(
        watchesLoad: Bool, _ host: Host, _ workspace: Workspace
    ) -> UsageFigures {
        let scratch = workspace.scratch
        var figures = UsageFigures()
        figures.cpuTime = try? cgroups.readCPUTime(scratch)?.total
        figures.readAt = Clock.monotonic()
        if (try? updateVisible(host, workspace)) != nil { figures.cpus = visible.list.count }
        figures.cpuQuota = try? cgroups.readCPULimit(scratch)
        if let facts = try? readMemory(host, workspace) {
            figures.memory = try? memoryView(facts, host)
        }
        figures.tasks = try? cgroups.readTaskCount(scratch)
        figures.load = knownLoad(watches: watchesLoad, host)
        for kind in PressureKind.allCases {
            guard let text = try? cgroups.readPressure(kind, scratch),
                let some = Self.average(in: text)
            else { continue }
            figures.pressure.append(UsageFigures.Pressure(kind: kind, some: some))
        }
        return figures
    }

    /// The first average of the first line, `some avg10=1.23 avg60=...`, in per cent.
    static func average(in text: Bytes) -> Double? {
        var scanner = Scanner(text)
        guard scanner.word()?.equals("some") == true, scanner.skip(space) else { return nil }
        for byte in "avg10=".utf8 where !scanner.skip(byte) { return nil }
        guard let whole = scanner.number(), scanner.skip(UInt8(ascii: ".")),
            let hundredths = scanner.number(), hundredths < 100
        else { return nil }
        return Double(whole) + Double(hundredths) / 100
    }
}
