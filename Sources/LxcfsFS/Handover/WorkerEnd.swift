import Syscalls

/// A worker's end of its connection to the keeper.
package final class WorkerEnd: Sendable {
    private let link: MessageLink

    package init(_ descriptor: consuming FileDescriptor) { link = MessageLink(descriptor) }

    /// To be watched.
    package var descriptor: FileDescriptor { _read { yield link.descriptor } }

    // MARK: - Saying

    /// Everything is prepared.
    package func ready() throws(SystemError) {
        var line = MessageLine(.ready)
        line.contract = Contract.current
        try link.send(line)
    }

    /// Requests are answered.
    package func serving() throws(SystemError) { try link.send(MessageLine(.serving)) }

    /// Answers ``ToWorker/ask``.
    package func answer() throws(SystemError) { try link.send(MessageLine(.answer)) }

    /// Has the keeper keep a copy of a descriptor, so that the next worker gets it in
    /// ``WorkerSetup/kept``. One that was kept under the name before is replaced.
    ///
    /// - Parameters:
    ///   - name: of the part's own choice, such as `seccomp:<number>`.
    ///   - payload: handed back together with it.
    /// - Throws: `DaemonError` if the payload is longer than
    ///   ``NamedDescriptor/payloadLimit``; `SystemError`.
    package func keep(
        _ descriptor: borrowing FileDescriptor, name: String, payload: String = ""
    ) throws {
        guard payload.utf8.count <= NamedDescriptor.payloadLimit else {
            throw DaemonError(
                "\(name) cannot be kept: what belongs to it has \(payload.utf8.count) bytes")
        }
        let line = MessageLine(.keep, name: name, payload: payload)
        try line.checkSize()
        try link.send(line, descriptor.raw)
    }

    /// The keeper need not keep the descriptor of this name any more.
    package func forget(name: String) throws(SystemError) {
        try link.send(MessageLine(.forget, name: name))
    }

    // MARK: - Hearing

    /// Waits for a message; nil when the keeper is gone.
    ///
    /// - Throws: `SystemError`; `DaemonError` if what has come is no message.
    package func receive() throws -> ToWorker? {
        guard let received = try link.receive() else { return nil }
        return ToWorker(received)
    }
}
