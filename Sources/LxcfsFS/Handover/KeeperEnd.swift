import Syscalls

/// The keeper's end of its connection to a worker.
package final class KeeperEnd: Sendable {
    private let link: MessageLink

    package init(_ descriptor: consuming FileDescriptor) { link = MessageLink(descriptor) }

    /// To be watched.
    package var descriptor: FileDescriptor { _read { yield link.descriptor } }

    // MARK: - Saying

    // The keeper never waits for a worker: one that does not take what it has been sent is
    // noticed by its silence.

    /// - Throws: `EAGAIN` if the worker has not taken what it has been sent.
    package func serve() throws(SystemError) {
        try link.send(MessageLine(.serve), waits: false)
    }

    /// - Throws: `EAGAIN` if the worker has not taken what it has been sent.
    package func finish() throws(SystemError) {
        try link.send(MessageLine(.finish), waits: false)
    }

    /// - Throws: `EAGAIN` if the worker has not taken what it has been sent.
    package func ask() throws(SystemError) {
        try link.send(MessageLine(.ask), waits: false)
    }

    /// Passes on what another worker has had kept.
    ///
    /// - Throws: `EAGAIN` if the worker has not taken what it has been sent; `DaemonError` if
    ///   the message is too long.
    package func keep(_ named: borrowing NamedDescriptor) throws {
        let line = MessageLine(.keep, name: named.name, payload: named.payload)
        try line.checkSize()
        try link.send(line, named.descriptor.raw, waits: false)
    }

    /// Passes on what another worker does not need any more.
    ///
    /// - Throws: `EAGAIN` if the worker has not taken what it has been sent.
    package func forget(name: String) throws(SystemError) {
        try link.send(MessageLine(.forget, name: name), waits: false)
    }

    // MARK: - Hearing

    /// Waits for a message; nil when the worker is gone.
    ///
    /// - Throws: `SystemError`; `DaemonError` if what has come is no message.
    package func receive() throws -> ToKeeper? {
        guard let received = try link.receive() else { return nil }
        return ToKeeper(received)
    }

    /// What a worker has sent before its end. Does not wait for more: that end may not come,
    /// for a thread of it may wait in the kernel for the next worker.
    ///
    /// - Returns: nil when there is nothing left.
    /// - Throws: as ``receive()``.
    package func receiveRest() throws -> ToKeeper? {
        guard let received = try link.receiveRest() else { return nil }
        return ToKeeper(received)
    }
}
