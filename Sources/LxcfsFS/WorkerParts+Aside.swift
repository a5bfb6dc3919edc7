import LxcfsHandover

/// Requests that a worker before this one has put aside.
extension WorkerParts {
    private var left: [Int] {
        (0..<AsideRequests.count).filter { aside.state($0) != .free }
    }

    /// Those that were being answered when it ended, and that may have been the cause.
    var pendingAside: [UInt64] {
        left.compactMap { place in
            guard aside.state(place) == .answering, !aside[place].isHeldUp,
                let connection = aside.connection(place)
            else { return nil }
            return Suspects.key(aside[place], connection)
        }
    }

    /// The kernel sends those of a connection again.
    func forgetAside(of connection: FUSEConnection) {
        for place in left where aside.connection(place) == connection {
            aside.set(.free, place)
        }
    }

    /// The places of those that are to be answered. One that a worker was just putting aside when
    /// it ended may also be where it was received, and is forgotten here.
    func takeLeft() -> [Int] {
        var taken: Set<UInt64> = []
        for connection in FUSEConnection.allCases {
            for request in memory.requests(connection) where request.size > 0 {
                taken.insert(Suspects.key(request, connection))
            }
        }
        return left.filter { place in
            if let connection = aside.connection(place),
                aside[place].operation != PendingRequest.interrupt,
                taken.insert(Suspects.key(aside[place], connection)).inserted
            {
                return true
            }
            aside.set(.free, place)
            return false
        }
    }

    /// The connection of a request that has been put aside.
    func session(ofAside place: Int) -> Session? {
        switch aside.connection(place) {
        case .containers: containers
        case .callers: callers
        case nil: nil
        }
    }
}
