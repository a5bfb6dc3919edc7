import CLinux

/// Requests that were being answered when a worker crashed. One that was there every time is
/// taken for the cause.
package struct Suspects {
    private static let count = 128
    package static let size = count * 16
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
            let key = clinux_load64(memory + index * 16)
            if key != 0 { former[key] = clinux_load64(memory + index * 16 + 8) }
        }
        var bad: Set<UInt64> = []
        for index in 0..<Self.count {
            let at = memory + index * 16
            clinux_store64(at, 0)
            guard index < pending.count else { continue }
            let crashes = (former[pending[index]] ?? 0) + 1
            if crashes >= Self.limit { bad.insert(pending[index]) }
            clinux_store64(at + 8, crashes)
            clinux_store64(at, pending[index])
        }
        return bad
    }

    /// Numbers of requests are even, and counted per connection.
    package static func key(_ request: PendingRequest, _ connection: FUSEConnection) -> UInt64 {
        request.unique | UInt64(connection.rawValue)
    }
}
