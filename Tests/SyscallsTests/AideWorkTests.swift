import CLinux
import Glibc
import Testing

@testable import Syscalls

@Suite struct AideWorkTests {
    /// What the aide works is the work of who has asked, and of nobody else.
    @Test func countsForTheThreadThatHasAsked() throws {
        let (ours, theirs) = try MessageSocket.pair()
        let proc = try FileDescriptor.open("/proc", O_PATH | O_DIRECTORY).release()
        try startThread("aide") {
            AideServer(proc: proc).serve(theirs)
            close(theirs)
            close(proc)
        }
        defer { close(ours) }
        var request = AideRequest(.namespace)
        request.tid = gettid()
        request.detail = NamespaceKind.process.rawValue
        let before = clinux_lent_time()
        var sum: UInt64 = 0
        for _ in 0..<100 {
            let reply = try Aide.exchange(ours, request, Aide.nothing, -1).0
            #expect(reply.error == 0)
            #expect(reply.work > 0)
            sum += UInt64(reply.work)
        }
        #expect(clinux_lent_time() - before == sum)
        // The other's work, and not a share of ours.
        let own = Clock.thread()
        #expect(Clock.work() >= own + sum)
        let others = Guarded<UInt64>(1)
        let done = HeldDescriptor(try EventDescriptor.make())
        try startThread("other") {
            others.withLock { $0 = clinux_lent_time() }
            EventDescriptor.signal(done.descriptor)
        }
        EventDescriptor.wait(done.descriptor)
        #expect(others.withLock { $0 } == 0)
    }
}
