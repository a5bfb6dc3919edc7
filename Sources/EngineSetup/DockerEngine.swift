import JSON
import Syscalls

/// What a dockerd that runs says of itself (Docker Engine API, `GET /info`).
struct DockerEngine {
    static let socket = "/run/docker.sock"

    let defaultRuntime: String
    let runtimes: Set<String>

    /// - Returns: nil if none runs that answers.
    init?(socket: String = socket) {
        guard let connection = try? UnixSocket.connect(socket, timeout: 3000),
            // HTTP/1.0: the answer ends with the connection.
            (try? connection.write("GET /info HTTP/1.0\r\nHost: docker\r\n\r\n".utf8)) != nil,
            let answer = try? connection.readToEnd(limit: 1 << 22)
        else { return nil }
        self.init(answer: answer)
    }

    /// - Parameter answer: of HTTP/1.0.
    init?(answer: [UInt8]) {
        let gap = Array("\r\n\r\n".utf8)
        guard answer.starts(with: "HTTP/1.".utf8),
            let end = answer.indices.first(where: { answer[$0...].starts(with: gap) }),
            let value = try? JSONText(Array(answer[(end + gap.count)...])).root.value(),
            let standard = value.at(["DefaultRuntime"])?.string
        else { return nil }
        defaultRuntime = standard
        runtimes = Set((value.at(["Runtimes"])?.object ?? [:]).keys)
    }
}
