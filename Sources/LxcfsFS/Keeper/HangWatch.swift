/// Finds out whether a worker does not answer though it lives: a request has been with the same
/// thread for too long, or the main thread does not answer the keeper.
///
/// Counts looks, not time: whoever looks may have been stopped or asleep like everybody else.
struct HangWatch: Equatable {
    enum Finding: Equatable {
        /// The number of a request.
        case request(UInt64)
        case silence
    }

    /// Looks at the same request, or after a question, that are too many: ten seconds for the
    /// keeper. The longest that a worker waits on purpose is a second.
    static let patience = 40
    /// Looks between an answer and the next question.
    static let pause = 10

    private struct Sight: Equatable {
        var unique: UInt64 = 0
        var looks = 0
    }

    private var seen: [Sight] = []
    /// There has been no answer to the last question.
    private var isAsked = false
    /// Since that question, or the last answer.
    private var looks = 0

    /// - Parameter requests: the number of the request that each thread is answering, 0 for
    ///   none, always in the same order.
    /// - Returns: nil while the worker answers.
    mutating func look(at requests: [UInt64]) -> Finding? {
        if seen.count != requests.count {
            seen = Array(repeating: Sight(), count: requests.count)
        }
        var finding: Finding?
        for (index, unique) in requests.enumerated() {
            if unique == 0 || unique != seen[index].unique {
                seen[index] = Sight(unique: unique)
                continue
            }
            seen[index].looks += 1
            if seen[index].looks >= Self.patience { finding = .request(unique) }
        }
        looks += 1
        if isAsked, looks >= Self.patience { finding = finding ?? .silence }
        return finding
    }

    /// Whether the worker is to be asked now whether it is there.
    var isToAsk: Bool { !isAsked && looks >= Self.pause }

    mutating func asked() { (isAsked, looks) = (true, 0) }

    mutating func answered() { (isAsked, looks) = (false, 0) }
}

extension HangWatch.Finding: CustomStringConvertible {
    var description: String {
        switch self {
        case .request(let number): "it does not finish request \(number)"
        case .silence: "it does not answer the keeper"
        }
    }
}
