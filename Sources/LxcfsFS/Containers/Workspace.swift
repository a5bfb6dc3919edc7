import Cgroups
import Glibc
import KernelText

/// The buffers of one thread, made once, so that answering a request allocates nothing.
final class Workspace {
    let scratch = Scratch()
    let out = TextBuffer()
    /// CPU time by CPU of the host.
    var hostCPUTimes: [UInt64] = []
    /// CPU time by visible CPU.
    var visibleCPUTimes: [UInt64] = []
    var io: [IOCounters] = []
    /// The request that is being answered: its number and connection, see ``Suspects``.
    var request: UInt64 = 0
    /// The request may have been answered by an earlier worker.
    var isReplaying = false

    /// The worker of the calling thread.
    static var current: Workspace {
        if let known = pthread_getspecific(key) {
            return Unmanaged<Workspace>.fromOpaque(known).takeUnretainedValue()
        }
        let made = Workspace()
        pthread_setspecific(key, Unmanaged.passRetained(made).toOpaque())
        return made
    }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = pthread_key_create(&key) { value in
            if let value { Unmanaged<Workspace>.fromOpaque(value).release() }
        }
        precondition(result == 0, "no thread-specific key is left")
        return key
    }()
}
