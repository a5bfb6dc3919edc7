import Logging
import Syscalls

/// Tells the service manager what it ought to know.
///
/// Containers must not suffer from a service manager that does not listen: what fails is only
/// noted in the log.
struct ServiceNotifier {
    let log: Logger

    /// - Parameter message: as for sd_notify(3).
    func tell(_ message: String) {
        attempt { () throws(SystemError) in try notifyServiceManager(message) }
    }

    /// Has copies of descriptors stored.
    func store(_ items: [StoredItem]) {
        for item in items {
            attempt { () throws(SystemError) in
                try ServiceManager.store(item.number, item.name)
            }
        }
    }

    /// What is stored under these names is not needed any more.
    func drop(_ names: [String]) {
        for name in names {
            attempt { () throws(SystemError) in try ServiceManager.drop(name) }
        }
    }

    private func attempt(_ body: () throws(SystemError) -> Void) {
        do {
            try body()
        } catch {
            log.warning("\(error)")
        }
    }
}
