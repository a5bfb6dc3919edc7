/// What a keeper says to a worker.
///
/// A descriptor that comes with a message that takes none is closed.
package enum ToWorker: ~Copyable, Sendable {
    /// Answer requests: no other worker does.
    case serve
    /// Finish what you are answering, and exit.
    case finish
    /// Say that you are there.
    case ask
    /// Another worker has had this kept since this one was started.
    case keep(NamedDescriptor)
    /// Another worker does not need the descriptor of this name any more.
    case forget(name: String)
    /// Something that this version does not know, or that lacks a part; it is to be ignored.
    case other(summary: String)

    init(_ received: consuming MessageLink.Received) {
        let summary = received.summary
        switch MessageKind(rawValue: received.line.kind) {
        case .serve: self = .serve
        case .finish: self = .finish
        case .ask: self = .ask
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
        case .ready, .serving, .answer, nil: self = .other(summary: summary)
        }
    }
}
