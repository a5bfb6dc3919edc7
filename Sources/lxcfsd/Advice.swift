import Glibc
import Syscalls

/// What to do about an error that has kept the daemon from starting.
enum Advice {
    static func added(to error: any Error) -> String {
        guard let error = error as? SystemError, error.errno == ENOSYS else {
            return "\(error)"
        }
        return "\(error); \(oldKernel)"
    }

    private static let oldKernel =
        "this kernel is too old, or something forbids the call: Linux 5.12 or newer is needed"
}
