import Glibc
import Syscalls

/// The terminal of this process as a screen that is drawn anew.
final class Terminal {
    private let former: termios

    /// - Throws: what tcgetattr(3) says.
    init() throws(SystemError) {
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else {
            throw SystemError("ask for the settings of", "the terminal", errno: errno)
        }
        former = settings
    }

    /// Keys come at once and are not shown; the screen is another one, without a cursor, and lines do
    /// not wrap.
    func prepare() throws(SystemError) {
        var settings = former
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
        // Output waits for nobody's reading of the keyboard.
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) == 0 else {
            throw SystemError("change the settings of", "the terminal", errno: errno)
        }
        try Output.write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l")
    }

    /// As it was. Nobody is left to tell if that fails: the terminal is gone then.
    func restore() {
        try? Output.write("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l")
        var settings = former
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }

    /// Columns and lines.
    var size: (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
            size.ws_row > 0
        else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Draws over what is there, so that nothing flickers.
    func show(_ lines: [String]) throws(SystemError) {
        let text = lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n")
        try Output.write("\u{1b}[H" + text + "\u{1b}[J")
    }

    /// Ends the process by a signal that it has kept from doing so.
    static func die(of signal: CInt) -> Never {
        Glibc.signal(signal, SIG_DFL)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, signal)
        kill(getpid(), signal)
        sigprocmask(SIG_UNBLOCK, &set, nil)
        exit(128 + signal)
    }
}
