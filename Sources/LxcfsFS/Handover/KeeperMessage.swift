/// What keeper and worker say to each other: one message is one JSON object.
package struct KeeperMessage: Codable, Sendable {
    package enum Kind: String, Codable, Sendable {
        /// Worker: everything is prepared.
        case ready
        /// Worker: requests are answered.
        case serving
        /// Worker: keep the descriptor that comes with this. Keeper, to a worker that is to
        /// take over: another worker has had it kept.
        case keep
        /// Worker: the descriptor is not needed any more. Keeper: likewise.
        case forget
        /// Keeper: answer requests, no other worker does.
        case serve
        /// Keeper: finish what you are answering, and exit.
        case finish
        /// Keeper: say that you are there.
        case ask
        /// Worker: the answer.
        case answer
    }

    package var kind: Kind
    package var name: String?
    package var payload: String?
}
