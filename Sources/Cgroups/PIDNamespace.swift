import Glibc
import KernelText
import Syscalls

/// Tells what numbers threads have in one pid namespace (pid_namespaces(7)).
///
/// For one look: it keeps the namespace. The kernel is asked (Linux 6.11), or a text that is short
/// for a process; of other threads, before 6.11, a text that may be long: the first that is ends
/// that for this look.
public final class PIDNamespace {
    private let namespace: FileDescriptor
    private enum Way {
        case kernel
        /// How deep the namespace lies.
        case texts(depth: Int)
        case none
    }
    private var way: Way
    private var isTooLong = false

    /// The namespace of a process.
    ///
    /// - Parameters:
    ///   - proc: a procfs of our pid namespace.
    ///   - asksKernel: false only in tests.
    /// - Throws: `ENOENT` or `ESRCH` when it has ended.
    public init(
        of process: Int32, _ proc: borrowing FileDescriptor, _ scratch: Scratch,
        asksKernel: Bool = true
    ) throws(SystemError) {
        namespace = try openPIDNamespace(of: process, proc)
        if asksKernel, try Self.kernelTells(namespace) {
            way = .kernel
        } else {
            let depth = NamespacePIDs(ofProcess: process, proc, scratch)?.depth
            way = depth.map { .texts(depth: $0) } ?? .none
        }
    }

    private static func kernelTells(
        _ namespace: borrowing FileDescriptor
    ) throws(SystemError) -> Bool {
        do {
            _ = try threadNumber(getpid(), in: namespace)
            return true
        } catch {
            switch error.errno {
            // Most often this process is not in there.
            case ESRCH: return true
            case ENOTTY, EINVAL: return false
            default: throw error
            }
        }
    }

    /// - Returns: nil for a thread that has ended or is not in there, or if that cannot be found
    ///   out.
    public func number(
        of thread: Int32, _ proc: borrowing FileDescriptor, _ scratch: Scratch
    ) -> Int? {
        switch way {
        case .none: return nil
        case .kernel:
            return (try? threadNumber(thread, in: namespace)).map { Int($0) }
        case .texts(let depth):
            if let known = NamespacePIDs(ofProcess: thread, atDepth: depth, proc, scratch) {
                return known.asked
            }
            if isTooLong { return nil }
            return NamespacePIDs(
                ofThread: thread, atDepth: depth, proc, scratch, isTooLong: &isTooLong)?.asked
        }
    }

    /// The number of a thread in its own namespace.
    ///
    /// - Returns: nil when it has ended, or if that cannot be found out.
    public static func ownNumber(
        of thread: Int32, _ proc: borrowing FileDescriptor, _ scratch: Scratch
    ) -> Int? {
        guard let namespace = try? openPIDNamespace(of: thread, proc) else { return nil }
        do {
            return Int(try threadNumber(thread, in: namespace))
        } catch {
            guard error.errno == ENOTTY || error.errno == EINVAL else { return nil }
            var isTooLong = false
            return NamespacePIDs(ofProcess: thread, proc, scratch)?.innermost
                ?? NamespacePIDs(
                    ofThread: thread, atDepth: nil, proc, scratch, isTooLong: &isTooLong)?
                .innermost
        }
    }
}
