import Glibc
import LxcfsHandover

/// Whose a request is, before it is answered: work for one container must not take all threads.
struct RequestOwners: Sendable {
    enum Owner {
        /// It is answered at once: it gives something back, or its answer is an error.
        case nobody
        /// It asks for no answer.
        case noAnswer
        case container(RequestGate)
    }

    private let names: any Names
    /// nil where opening is not told of: then no handle means anything.
    private let openFiles: OpenFiles?
    /// Where no container is named. Hooks are root's.
    private let root = RequestGate()
    private let others = RequestGate()

    init(names: any Names, openFiles: OpenFiles?) {
        self.names = names
        self.openFiles = openFiles
    }

    func owner(of request: PendingRequest) -> Owner {
        let operation = request.operation
        switch operation {
        case PendingRequest.read, PendingRequest.write, PendingRequest.poll:
            // Who asks, and not who has opened the file: it may have been handed on, by a container
            // that is gone, too.
            let owner = owner(of: request.node, request)
            if case .container = owner { return owner }
            if let openFiles, let gate = openFiles.gate(ofHandle: request.handle) {
                return .container(gate)
            }
            return owner
        // Nothing that is done here can be interrupted.
        case PendingRequest.interrupt: return .noAnswer
        // What gives something back is never put off. The others here come from the kernel itself.
        case PendingRequest.forget, PendingRequest.forgetMany, PendingRequest.release,
            PendingRequest.releaseDirectory, PendingRequest.flush, PendingRequest.initialize,
            PendingRequest.destroy:
            return .nobody
        // Also what takes no content: a container can ask for it without a pause.
        default: return owner(of: request.node, request)
        }
    }

    private func owner(of node: NodeID, _ request: PendingRequest) -> Owner {
        if node.slot != 0 {
            return names.registry.container(slot: node.slot).map { .container($0.gate) }
                ?? .nobody
        }
        guard openFiles != nil else { return .container(request.user == 0 ? root : others) }
        do {
            return .container(try names.callers.gate(ofCaller: request.caller, .current))
        } catch {
            // Whoever cannot be seen from here gets an error, which takes no time.
            return .nobody
        }
    }

    /// For requests that an earlier worker has left, of whose owner nothing is known any more.
    var unknown: RequestGate { others }
}
