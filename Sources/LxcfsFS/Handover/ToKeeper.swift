/// What a worker says to its keeper.
///
/// A descriptor that comes with a message that takes none is closed.
package enum ToKeeper: ~Copyable, Sendable {
    /// Everything is prepared.
    case ready(contract: Int)
    /// Requests are answered.
    case serving
    /// The keeper is to keep this for the next worker.
    case keep(NamedDescriptor)
    /// The descriptor of this name is not needed any more.
    case forget(name: String)
    /// The answer to ``ToWorker/ask``.
    case answer
    /// Something that this version does not know, or that lacks a part; it is to be ignored.
    case other(summary: String)

    init(_ received: consuming MessageLink.Received) {
        let summary = received.summary
        switch MessageKind(rawValue: received.line.kind) {
        case .ready:
            self = .ready(contract: received.line.contract ?? Contract.first)
        case .serving: self = .serving
        case .answer: self = .answer
        case .keep:
            if let named = received.named() {
                self = .keep(named)
            } else {
                self = .other(summary: summary)
            }
        case .forget:
            if let name = received.line.name {
                self = .forget(name: name)
            } else {
                self = .other(summary: summary)
            }
        case .serve, .finish, .ask, nil: self = .other(summary: summary)
        }
    }
}
