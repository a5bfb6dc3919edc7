import CLinux
import Glibc
import Testing

@testable import Syscalls

@Suite struct MessageSocketTests {
    /// A pipe tells whether all copies of its writing end are closed.
    private func makePipe() throws -> (reader: CInt, writer: CInt) {
        var ends: [CInt] = [-1, -1]
        try #require(pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0)
        return (ends[0], ends[1])
    }

    /// - Parameter limit: in milliseconds. Processes that other tests start have copies, too,
    ///   until they execute their program.
    private func hasEnded(_ reader: CInt, within limit: CInt = 10_000) -> Bool {
        var request = pollfd(fd: reader, events: 0, revents: 0)
        return poll(&request, 1, limit) == 1
    }

    private func receive(
        _ socket: borrowing MessageSocket
    ) throws -> (bytes: [UInt8], descriptor: CInt?)? {
        guard let message = try socket.receive() else { return nil }
        return (message.bytes, message.descriptor)
    }

    @Test func carriesADescriptor() throws {
        let (one, other) = try MessageSocket.pair()
        let sender = MessageSocket(FileDescriptor(owning: one))
        let receiver = MessageSocket(FileDescriptor(owning: other))
        let (reader, writer) = try makePipe()
        defer { close(reader) }
        try sender.send([1, 2, 3], writer)
        close(writer)
        let message = try #require(try receive(receiver))
        #expect(message.bytes == [1, 2, 3])
        let received = try #require(message.descriptor)
        #expect(fcntl(received, F_GETFD) == FD_CLOEXEC)
        #expect(!hasEnded(reader, within: 0))
        close(received)
        #expect(hasEnded(reader))
        try sender.send([4])
        let next = try #require(try receive(receiver))
        #expect(next.descriptor == nil)
        _ = consume sender
        let end = try receive(receiver)
        #expect(end == nil)
    }

    /// It is no end, and what comes along is somebody's to close.
    @Test func anEmptyMessageDoesNotLoseItsDescriptor() throws {
        let (one, other) = try MessageSocket.pair()
        let sender = MessageSocket(FileDescriptor(owning: one))
        let receiver = MessageSocket(FileDescriptor(owning: other))
        let (reader, writer) = try makePipe()
        defer { close(reader) }
        try sender.send([], writer)
        close(writer)
        let message = try #require(try receive(receiver))
        #expect(message.bytes.isEmpty)
        close(try #require(message.descriptor))
        #expect(hasEnded(reader))
    }

    /// A process that has been taken over may send more than it ought to.
    @Test func closesDescriptorsThatAreTooMany() throws {
        let (one, other) = try MessageSocket.pair()
        let sender = MessageSocket(FileDescriptor(owning: one))
        let receiver = MessageSocket(FileDescriptor(owning: other))
        let (reader, writer) = try makePipe()
        defer { close(reader) }
        let numbers = [CInt](repeating: writer, count: 5)
        let number = sender.descriptor.raw
        #expect(clinux_send(number, [1], 1, numbers, 5, nil, 0, 0) == 1)
        close(writer)
        let message = try #require(try receive(receiver))
        close(try #require(message.descriptor))
        #expect(hasEnded(reader))
    }
}
