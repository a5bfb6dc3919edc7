import Control
import Glibc
import Logging
import LxcfsHandover
import Syscalls

/// The daemon `lxcfsd` as its users know it: mounts the trees, holds every descriptor whose
/// loss would hurt, and keeps a worker going that serves them. It does nothing else, so it
/// has nothing to crash on.
///
/// This is its beginning and its end; ``KeeperLoop`` is what is in between.
public final class Keeper {
    private var options: DaemonOptions
    private let log: Logger
    private let service: ServiceNotifier
    private let program: ProgramFile
    private let startedAt = Clock.monotonic()
    private let startedAtRealtime = Int(Clock.realtime() / 1_000_000_000)
    /// This program is executed in the place of another keeper.
    private let isReplacement: Bool

    public init(_ options: DaemonOptions, log: Logger) throws(SystemError) {
        self.options = options
        self.log = log
        service = ServiceNotifier(log: log)
        isReplacement = ServiceManager.hasHandedOver
        program = try ProgramFile()
    }

    private var directory: RuntimeDirectory { options.directory }

    /// Runs until SIGTERM or SIGINT; then unmounts and removes what it made.
    ///
    /// - Throws: `SystemError` and `DaemonError` for what keeps the daemon from starting.
    public func run() throws {
        let signals = try SignalDescriptor([
            SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD,
        ])
        // Workers inherit it: each container that is read keeps a dozen cgroup files open.
        for limit in raiseLimits() {
            log.warning("the limit on \(limit.name) stays at \(limit.value)")
        }
        // Directories that even a worker could not enter, or that others could write to.
        umask(0o022)
        try prepareDirectories()
        // A worker's aide.
        try ChildProcess.adoptOrphans()
        let pidFile = try takePidFile()
        try makeDirectory(directory.containers, mode: 0o700)
        for place in try TrustedPath.contents(of: directory) { try trust(place, whole: true) }

        let loop: KeeperLoop
        let inheritance = Inheritance.take(directory.storedDescriptors, service, log)
        if let store = inheritance.store {
            loop = try makeLoop(store, mounts: nil)
        } else {
            let madeDirectory = try Mounts.prepare(options, log)
            let fresh = try FreshDescriptors.make(options, kept: inheritance.kept)
            let connections = [fresh[.containers].number, fresh[.callers].number]
            loop = try makeLoop(
                fresh, mounts: try MountTask(options, connections: connections))
            loop.shared.madeDirectory = madeDirectory
            loop.shared.hasCallersOnTop = true
            // Who waits for an answer to a call waits for ever otherwise.
            if let former = inheritance.formerMemory { loop.shared.copy(.agent, from: former) }
        }
        do {
            try giveUpPrivileges()
            try loop.run(signals)
        } catch let error as ConnectionsAborted {
            loop.endProcesses()
            throw error
        } catch {
            // The next daemon must not go on with connections that are unmounted here.
            service.drop(loop.workers.store.items.map(\.name))
            do {
                try Mounts.abort(options)
            } catch {
                log.error("\(error)")
            }
            loop.endProcesses()
            FreshDescriptors.removeSockets(options)
            throw error
        }
        try leave(loop)
        pidFile.remove()
        removeIfEmpty(directory.containers)
        // As long as there are containers, the next daemon goes on with them.
        if access(directory.containers, F_OK) != 0 {
            unlink(directory.counters)
        }
        removeIfEmpty(options.runtimeDirectory)
        log.info("stopped")
    }

    private func takePidFile() throws -> PidFile {
        do {
            return try PidFile(options.pidFilePath, in: options.runtimeDirectory)
        } catch let held as PidFile.Held {
            let client = ControlClient(socket: directory.controlSocket, timeout: 500)
            let status = try? client.send(Request(.status)).status
            let process = status?.pid ?? PidFile.number(in: directory.pidFile)
            let facts =
                [process.map { "pid \($0)" }, status.map { "mountpoint \($0.mountpoint)" }]
                .compactMap(\.self)
            let which = facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))"
            throw DaemonError(
                "lxcfsd runs already\(which) and holds \(held.path); another one needs "
                    + "a --runtime-dir of its own")
        }
    }

    /// Makes the runtime directory if need be, and sees to it that nobody but root decides what
    /// is in there, or what the mountpoint is.
    private func prepareDirectories() throws {
        // Of one that had it, the files are there.
        if !isReplacement { try SharedDirectory.refuse(options.runtimeDirectory) }
        try trust(options.mountPoint, whole: false)
        try trust(options.runtimeDirectory, whole: false)
        try makeDirectory(options.runtimeDirectory, mode: 0o755)
        try trust(options.runtimeDirectory, whole: true)
        try trust(options.pidFilePath, whole: true)
        // As the table of mounts names it.
        options.runtimeDirectory = try resolvePath(options.runtimeDirectory)
    }

    /// - Throws: `SystemError`; `DaemonError` if others than root decide what is there. A keeper
    ///   that has taken the place of one that did not mind goes on: to end would not help
    ///   containers that read already.
    private func trust(_ path: String, whole: Bool) throws {
        do {
            try TrustedPath.check(path, whole: whole)
        } catch let error as DaemonError where isReplacement {
            log.error("\(error)")
        }
    }

    private func makeLoop(
        _ store: DescriptorStore, mounts: MountTask?
    ) throws -> KeeperLoop {
        let shared = try HandoverMemory(try store[.memory].descriptor.duplicate())
        shared.bind(&options)
        let setup = WorkerSetup(
            options: options, startedAt: startedAt, startedAtRealtime: startedAtRealtime,
            keeper: getpid())
        return try KeeperLoop(
            setup, store, shared, mounts: mounts, program: program, log: log)
    }

    private func leave(_ loop: KeeperLoop) throws(SystemError) {
        service.drop(loop.workers.store.items.map(\.name))
        // Containers that have files of ours keep these mounts, and would wait for ever for what
        // a worker that cannot end has left.
        try Mounts.abort(options)
        loop.endProcesses()
        if loop.shared.madeDirectory { rmdir(options.mountPoint) }
        FreshDescriptors.removeSockets(options)
        unlink(directory.storedDescriptors)
    }

    // MARK: - Small things

    /// Mounting is left, and what workers need, which inherit all this.
    private func giveUpPrivileges() throws {
        try Privileges.keepOnly(
            [.administration, .trace, .setCapabilities], dormant: [.resources, .allFiles])
        try Privileges.forbidNew()
        // It stays across execve(2), and each takes room, of which there is not much.
        if !isReplacement { try SystemCallFilter.keeper.load(options.systemCallFilter) }
    }

    private func removeIfEmpty(_ directory: String) {
        if rmdir(directory) != 0, errno != ENOTEMPTY, errno != EBUSY, errno != ENOENT {
            log.warning("\(SystemError("remove", directory, errno: errno))")
        }
    }
}
