import CLinux
import Cgroups
import Glibc
import KernelText
import Syscalls

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
    /// The container has so many requests that this one is answered with what is there.
    var isHasty = false
    /// Whose request it is; nil if nobody's.
    var gate: RequestGate?
    /// ``RequestGate/changes`` when the thread began with it.
    var changes = 0
    /// The request may be put off, and has been. It is answered when ``RequestGate/changes`` is
    /// another number.
    var mayPutOff = false
    var isPutOff = false
    /// It has been put off once.
    var isSecondTry = false
    /// The thread answers what has been put aside.
    var isHelper = false
    /// Where the thread says that it waits for what only the container decides.
    var heldUp: UnsafeMutableRawPointer?
    /// How many reasons it has for that.
    private var waits = 0
    /// Requests that the thread has taken in hand.
    private var taken: UInt64 = 0

    /// The thread begins with its next request.
    ///
    /// - Returns: its CPU time so far, in nanoseconds, if this request is measured, for all others
    ///   (``CPUAccount/sampling``).
    func beginWork() -> UInt64? {
        taken &+= 1
        return taken % CPUAccount.sampling == 0 ? Clock.work() : nil
    }

    /// The thread is about to wait for what only the container decides.
    ///
    /// - Returns: false if it did so already.
    func beginWaiting() -> Bool {
        waits += 1
        if waits > 1 { return false }
        if let heldUp { clinux_store32(heldUp, 1) }
        return true
    }

    /// - Returns: false if it goes on waiting.
    func endWaiting() -> Bool {
        waits -= 1
        if waits > 0 { return false }
        if let heldUp { clinux_store32(heldUp, 0) }
        return true
    }

    /// That of the calling thread, if it has one: it answers requests then.
    static var known: Workspace? {
        pthread_getspecific(key).map {
            Unmanaged<Workspace>.fromOpaque($0).takeUnretainedValue()
        }
    }

    /// That of the calling thread.
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
