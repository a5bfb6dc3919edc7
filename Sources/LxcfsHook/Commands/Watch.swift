import Glibc
import Syscalls

/// Has a process of its own do the work, and goes on without it when that takes too long.
///
/// A lookup in a tree of FUSE that its server has taken up and does not answer cannot be ended, not
/// even by SIGKILL, nor can the process that waits for it. The runtime waits for this process and for
/// all that have its standard output open, so the one that does the work has neither.
struct Watch {
    let options: Options
    /// Where what the other process says goes to.
    let log: Log
    let kind: Kind

    enum Kind {
        /// The container starts without its files, unless they are required.
        case stage
        /// Somebody has asked for it.
        case command
    }

    /// How much longer mounting may take, which does not wait for the daemon, in milliseconds.
    private static let grace: UInt64 = 1000
    /// The same for a command: it may have to wait for its turn and for the container's processes to
    /// stop, and mounts are not left half done if they can be completed.
    private static let longestCommand = UInt64(Freezer.longest) * 2 + 4000
    /// The same of taking back what has been mounted, and of writing to logs that nobody reads.
    private static let rest: UInt64 = 1000

    /// The longest time that a stage takes with `--timeout`, in milliseconds.
    static func limit(timeout: Int) -> Int { timeout + Int(grace + rest) }

    /// What came of it: the code to end with, and what is to be written to standard output.
    struct Result {
        var code: ExitCode
        var output: [UInt8]?
    }

    /// Does `body` in a process of its own.
    ///
    /// - Parameter body: gets a log, and what to hand output to. It is not waited for longer than
    ///   the options say.
    func run(_ body: (Log, ([UInt8]) -> Void) -> ExitCode) -> Result {
        let start = Clock.monotonic()
        do {
            if kind == .stage {
                try exitProcess(
                    afterMilliseconds: Self.limit(timeout: options.timeout),
                    code: lateCode.rawValue)
            }
            // Not this process is its parent.
            _ = RuntimeArguments.runtime
            let (own, other) = try MessageSocket.pair()
            let socket = MessageSocket(FileDescriptor(owning: own))
            let end = FileDescriptor(owning: other)
            let worker = try ForkedProcess { Self.work(other, options, body) }
            close(consume end)
            return watch(worker, socket, since: start)
        } catch {
            return Result(code: giveUp("\(error)", .failure))
        }
    }

    private func close(_ descriptor: consuming FileDescriptor) {}

    private static func work(
        _ socket: CInt, _ options: Options,
        _ body: (Log, ([UInt8]) -> Void) -> ExitCode
    ) -> CInt {
        // Those that the runtime has left open are not to stay so for longer than it wants.
        let socket = dup2(socket, 3)
        try? closeDescriptors(from: 4)
        // Whoever waits for the end of what the hook says must not wait for this process.
        let null = Glibc.open("/dev/null", O_WRONLY | O_CLOEXEC)
        if null >= 0 { for number in [STDOUT_FILENO, STDERR_FILENO] { dup2(null, number) } }
        let channel = WatchChannel(socket)
        let log = Log(
            level: options.logLevel,
            watcher: { channel.send(.step($0, container: $1)) },
            sink: { channel.send(.log($0, $1)) })
        channel.send(
            .end(
                body(log) { output in
                    var rest = output[...]
                    while !rest.isEmpty {
                        channel.send(.output(Array(rest.prefix(WatchMessage.partSize))))
                        rest = rest.dropFirst(WatchMessage.partSize)
                    }
                }))
        return 0
    }

    private func watch(
        _ worker: ForkedProcess, _ socket: borrowing MessageSocket, since start: UInt64
    ) -> Result {
        var step = Step.reading
        var log = log
        var output: [UInt8]?
        while true {
            guard Self.wait(for: socket, until: deadline(step, start)) else {
                return Result(code: giveUp(worker, at: step, log))
            }
            guard let message = try? socket.receive() else { break }
            switch WatchMessage(message.bytes) {
            case .log(let level, let text): self.log.log(level, text)
            case .step(let next, let container):
                step = next
                log.container = container ?? log.container
            case .output(let part): output = (output ?? []) + part
            case .end(let code):
                _ = try? worker.wait()
                return Result(code: code, output: code == .success ? output : nil)
            case nil: break
            }
        }
        let code = (try? worker.wait()) ?? 0
        let what = code > 128 ? "signal \(code - 128)" : "exit code \(code)"
        if case .mounting(let files) = step { takeBack(files, log) }
        return Result(
            code: giveUp("ended by \(what) while \(step.text)", .failure, log))
    }

    /// On the monotonic clock.
    private func deadline(_ step: Step, _ start: UInt64) -> UInt64 {
        let end = start + UInt64(max(options.timeout, 0)) * 1_000_000
        guard case .mounting = step else { return end }
        return end + (kind == .stage ? Self.grace : Self.longestCommand) * 1_000_000
    }

    private static func wait(for socket: borrowing MessageSocket, until end: UInt64) -> Bool {
        while true {
            let now = Clock.monotonic()
            if now >= end { return false }
            let time = CInt(clamping: (end - now) / 1_000_000 + 1)
            var entry = pollfd(
                fd: socket.descriptor.raw, events: Int16(POLLIN), revents: 0)
            let count = poll(&entry, 1, time)
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }

    // MARK: - Going on without it

    private var lateCode: ExitCode {
        kind == .stage && !options.isRequired ? .success : .overdue
    }

    private func giveUp(_ worker: ForkedProcess, at step: Step, _ log: Log) -> ExitCode {
        worker.kill()
        if case .mounting(let files) = step, worker.ends(within: 300) { takeBack(files, log) }
        let seconds = Double(options.timeout) / 1000
        return giveUp("not done within \(seconds) s (--timeout), \(step.text)", lateCode, log)
    }

    /// - Parameter code: if it matters.
    private func giveUp(_ reason: String, _ code: ExitCode, _ log: Log? = nil) -> ExitCode {
        let isFatal = kind == .command || options.isRequired
        (log ?? self.log).log(
            isFatal ? .error : .warning,
            """
            \(reason); \(isFatal ? "" : "the container goes on without it; ")see whether \
            \(daemon)\(kind == .stage && !isFatal ? ", then lxcfs-hook attach" : "")
            """)
        return isFatal ? code : .success
    }

    private var daemon: String {
        switch options.origin {
        case .daemon: "lxcfsd answers (lxcfsd status)"
        case .lxcfs(let root): "lxcfs answers at \(root)"
        }
    }

    /// No file is to stay of which it is not known whether all of them are there.
    private func takeBack(_ files: MountedFiles, _ log: Log) {
        guard kind == .stage, !options.isRequired else { return }
        do {
            let process = try ContainerProcess(pid: files.pid)
            // Its files have gone with it.
            guard process.mountNamespaceInode == files.namespace else { return }
            let results = try Detachment.run(
                VirtualFile.allCases, process: process,
                rootfs: files.rootfs, devices: files.devices)
            for result in results {
                guard result.mounts > 0, let failure = result.failure else { continue }
                log.warning("\(result.target) stays mounted: \(failure)")
            }
        } catch {
            log.warning("what has been mounted stays: \(error)")
        }
    }
}

/// The watched process's end.
private final class WatchChannel {
    private let socket: MessageSocket

    init(_ number: CInt) { socket = MessageSocket(FileDescriptor(owning: number)) }

    func send(_ message: WatchMessage) {
        // Without whoever watches, this process is killed.
        try? socket.send(message.bytes)
    }
}
