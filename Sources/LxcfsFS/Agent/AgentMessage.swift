import OCISpec

/// The message of a runtime that hands over a notify descriptor
/// (config-linux.md#containerprocessstate), as it comes in.
///
/// It ends with the JSON document: runc before 1.3.1 never closes the connection.
struct AgentMessage {
    private(set) var text: [UInt8] = []

    enum Progress {
        case incomplete
        case complete(ListenerOrigin)
        /// It will never make sense.
        case garbled(String)
    }

    mutating func append(_ bytes: some Sequence<UInt8>) -> Progress {
        text.append(contentsOf: bytes)
        if text.count > ContainerProcessState.sizeLimit {
            return .garbled("longer than \(ContainerProcessState.sizeLimit) bytes")
        }
        // Parsing at every piece would take quadratic time.
        guard text.last(where: { !Self.isSpace($0) }) == UInt8(ascii: "}") else {
            return .incomplete
        }
        do {
            let state = try ContainerProcessState(json: text)
            return .complete(ListenerOrigin(id: state.state.id, pid: state.state.pid))
        } catch {
            return error.isTruncated ? .incomplete : .garbled(error.description)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }
}
