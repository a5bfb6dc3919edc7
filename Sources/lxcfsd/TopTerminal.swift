import Glibc
import Reports
import Syscalls

/// `lxcfsd top` on a terminal, which is as it was whatever ends this: signals are read from a
/// descriptor, so that none of them can end the process in between.
final class TopTerminal {
    private let settings: TopSettings
    private var order: UsageOrder
    private var look: TopLook
    private let signals: SignalDescriptor
    private let terminal: Terminal
    /// What went wrong at the last look: the daemon may be back at the next one.
    private var complaint: String?

    init(_ settings: TopSettings) throws {
        self.settings = settings
        order = settings.order
        look = try TopLook(settings)
        signals = try SignalDescriptor([
            SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH, SIGPIPE,
        ])
        terminal = try Terminal()
    }

    func run() throws {
        var fatal: CInt?
        do {
            defer { terminal.restore() }
            try terminal.prepare()
            fatal = try loop()
        }
        // As if nobody had caught it.
        if let fatal { Terminal.die(of: fatal) }
    }

    /// - Returns: the signal that ended it; nil if the user has.
    private func loop() throws -> CInt? {
        var shown = 0
        var due = Clock.monotonic()
        var isFirst = true
        while true {
            let now = Clock.monotonic()
            if now >= due {
                if !isFirst { update() }
                try draw()
                // CPU time is a difference: the first one comes soon.
                let seconds = isFirst ? min(settings.delay, 1) : settings.delay
                if !isFirst { shown += 1 }
                isFirst = false
                due = now + UInt64(seconds * 1e9)
                if let count = settings.iterations, count > 0, shown >= count { return nil }
            }
            switch try wait(until: due) {
            case .time: break
            case .key(let key):
                if key == UInt8(ascii: "q") { return nil }
                if key == UInt8(ascii: " ") { due = 0 }
                if let other = UsageOrder.allCases.first(where: { $0.key == key }) {
                    order = other
                    try draw()
                }
            // The terminal is gone.
            case .closed: return SIGHUP
            case .signal(SIGWINCH): try draw()
            case .signal(SIGCONT):
                try terminal.prepare()
                try draw()
            case .signal(SIGTSTP):
                terminal.restore()
                // SIGCONT comes when it goes on.
                kill(getpid(), SIGSTOP)
            case .signal(SIGINT): return nil
            case .signal(let signal): return signal
            }
        }
    }

    private func update() {
        do {
            try look.update()
            complaint = nil
        } catch {
            complaint = "\(error)"
        }
    }

    private func draw() throws {
        let (width, height) = terminal.size
        var lines = look.screen(by: order).lines(width: width, height: height)
        if let complaint {
            let text = PlainText.cut(
                "not up to date: " + PlainText.escape(complaint), to: width)
            if lines.isEmpty { lines = [text] } else { lines[0] = text }
        }
        try terminal.show(lines)
    }

    private enum Event {
        case time, closed
        case key(UInt8)
        case signal(CInt)
    }

    private func wait(until due: UInt64) throws -> Event {
        while true {
            if let signal = try signals.next() { return .signal(signal) }
            let now = Clock.monotonic()
            if now >= due { return .time }
            var ready = [
                pollfd(fd: signals.descriptor.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            ]
            let wait = CInt(clamping: (due - now) / 1_000_000 + 1)
            guard poll(&ready, 2, wait) > 0 else { continue }
            if ready[1].revents != 0 {
                var key: UInt8 = 0
                let count = read(STDIN_FILENO, &key, 1)
                if count == 1 { return .key(key) }
                if count == 0 || (errno != EAGAIN && errno != EINTR) { return .closed }
            }
        }
    }
}
