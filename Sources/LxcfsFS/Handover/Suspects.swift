import CLinux

/// Requests that were being answered when a worker crashed. One that was there every time is
/// taken for the cause.
package struct Suspects {
    private static let count = 128
    private static let entrySize = 16
    package static let size = count * entrySize

    /// What an entry is made of, by offset. The request is stored last, and is 0 as long as the
    /// entry is not valid.
    private enum Field {
        static let request = 0
        static let crashes = 8
    }

    private let memory: UnsafeMutableRawPointer

    package init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// Crashes that a request is given.
    package static let limit: UInt64 = 3

    /// Takes note of a crash.
    ///
    /// - Parameter pending: the requests that were being answered, by ``key(_:_:)``.
    /// - Returns: those that are not to be tried again.
    package func crashed(with pending: [UInt64]) -> Set<UInt64> {
        var former: [UInt64: UInt64] = [:]
        for index in 0..<Self.count {
            let entry = memory + index * Self.entrySize
            let request = clinux_load64(entry + Field.request)
            if request != 0 { former[request] = clinux_load64(entry + Field.crashes) }
        }
        var bad: Set<UInt64> = []
        for index in 0..<Self.count {
            let entry = memory + index * Self.entrySize
            clinux_store64(entry + Field.request, 0)
            guard index < pending.count else { continue }
            let crashes = (former[pending[index]] ?? 0) + 1
            if crashes >= Self.limit { bad.insert(pending[index]) }
            clinux_store64(entry + Field.crashes, crashes)
            clinux_store64(entry + Field.request, pending[index])
        }
        return bad
    }

    /// Numbers of requests are even, and counted per connection.
    package static func key(_ request: PendingRequest, _ connection: FUSEConnection) -> UInt64 {
        request.unique | UInt64(connection.rawValue)
    }
}
