/// What wakes the worker's main thread, as a number that a poller can hold.
enum Wakeup: Equatable {
    /// The init of the container in a slot has ended.
    case containerEnded(slot: UInt32)
    /// The init of a caller's pid namespace has ended.
    case callerEnded(pid: Int32)
    /// The keeper says something.
    case keeper
    /// The control socket: 0 is the one that listens, others are connections.
    case control(UInt64)

    private static let firstCaller: UInt64 = 1 << 30
    private static let keeperToken: UInt64 = 1 << 32
    private static let firstControl: UInt64 = 1 << 33

    var token: UInt64 {
        switch self {
        case .containerEnded(let slot): UInt64(slot)
        case .callerEnded(let pid): Self.firstCaller + UInt64(UInt32(bitPattern: pid))
        case .keeper: Self.keeperToken
        case .control(let number): Self.firstControl + number
        }
    }

    init(token: UInt64) {
        switch token {
        case 0..<Self.firstCaller: self = .containerEnded(slot: UInt32(token))
        case Self.firstCaller..<Self.keeperToken:
            self = .callerEnded(pid: Int32(truncatingIfNeeded: token - Self.firstCaller))
        case Self.keeperToken..<Self.firstControl: self = .keeper
        default: self = .control(token - Self.firstControl)
        }
    }
}
