import Glibc

/// Puts right what a process may be started with and cannot work with. Before it opens anything.
///
/// - Standard descriptors that are closed: the next file that is opened would get the number, and
///   messages would be written into it. Reading from standard input, and writing to standard output,
///   goes on failing: what is said there must not be lost without a word.
/// - SIGPIPE and SIGXFSZ, which kill: a message that nobody reads, or a file that a limit does not
///   let grow, is an error of write(2) like any other.
public func prepareProcess() {
    for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
        // open(2) takes the lowest free number, which is the one that is missing. What cannot be
        // written to will do where there is no such device.
        let mode =
            switch number {
            case STDIN_FILENO: O_WRONLY
            case STDOUT_FILENO: O_RDONLY
            default: O_RDWR
            }
        if open("/dev/null", mode) < 0 { _ = open("/", O_PATH | O_DIRECTORY) }
    }
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
}

/// Raises the limits of this process, and of what it starts, that would end a daemon one day: on
/// descriptors, on the sizes of files, of the address space and of stacks.
///
/// - Returns: the limits that stay lower than what is needed, with their value.
public func raiseLimits() -> [(name: String, value: UInt64)] {
    // Descriptors: as the kernel's default of fs.nr_open, above which nobody gets. A dozen for each
    // container are enough.
    let wanted: [(String, __rlimit_resource_t, rlim_t, needed: rlim_t)] = [
        ("open files (ulimit -n)", RLIMIT_NOFILE, 1 << 20, 4096),
        ("size of a file (ulimit -f)", RLIMIT_FSIZE, .max, .max),
        ("address space (ulimit -v)", RLIMIT_AS, .max, .max),
        ("data (ulimit -d)", RLIMIT_DATA, .max, .max),
        ("stack (ulimit -s)", RLIMIT_STACK, 8 << 20, 1 << 20),
    ]
    var low: [(name: String, value: UInt64)] = []
    for (name, resource, value, needed) in wanted {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < value else { continue }
        var raised = limit
        raised.rlim_cur = value
        raised.rlim_max = max(limit.rlim_max, value)
        if setrlimit(resource, &raised) == 0 { continue }
        // Without CAP_SYS_RESOURCE, or above fs.nr_open.
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
        if limit.rlim_max < needed { low.append((name, UInt64(limit.rlim_max))) }
    }
    return low
}
