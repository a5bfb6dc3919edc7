import Logging
import Syscalls

extension OpenFiles {
    /// Starts the thread that gives back the memory of files that are closed.
    func startTidyingUp(_ log: Logger) throws(SystemError) {
        try startThread("memory") { [self] in
            var hasFailed = false
            while true {
                waitForWork()
                do throws(SystemError) {
                    try tidyUp()
                } catch {
                    // It may fail each time.
                    if !hasFailed { log.warning("memory of closed files is kept: \(error)") }
                    hasFailed = true
                }
            }
        }
    }
}
