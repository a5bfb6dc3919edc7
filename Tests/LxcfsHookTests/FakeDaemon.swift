import Control
import Foundation
import Glibc
import JSON
import Syscalls

/// Answers on the control socket of a runtime directory as a test says.
enum FakeDaemon {
    /// - Parameter body: gets the runtime directory.
    /// - Returns: the requests that came meanwhile.
    static func run(
        _ answer: @escaping @Sendable (Request) -> Reply,
        while body: (String) throws -> Void
    ) throws -> [Request] {
        let directory = FileManager.default.temporaryDirectory.path + "/lxcfs-hook-\(UUID())"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let listener = try UnixSocket.listen(
            Defaults.controlSocket(in: directory), mode: 0o600)
        let number = listener.raw
        _ = fcntl(number, F_SETFL, 0)

        let requests = Requests()
        let hasEnded = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            while true {
                let connection = accept(number, nil, nil)
                if connection < 0 { break }
                serve(FileDescriptor(owning: connection), requests, answer)
            }
            hasEnded.signal()
        }
        let result = Result { try body(directory) }
        // Wakes the thread.
        shutdown(number, Int32(SHUT_RDWR))
        hasEnded.wait()
        close(consume listener)
        try result.get()
        return requests.all.withLock { $0 }
    }

    /// A runtime directory without a daemon.
    static let nowhere = "/nosuch/lxcfs-hook"

    private final class Requests: Sendable {
        let all = Guarded<[Request]>([])
    }

    private static func close(_ descriptor: consuming FileDescriptor) {}

    private static func serve(
        _ connection: consuming FileDescriptor, _ requests: Requests,
        _ answer: (Request) -> Reply
    ) {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(connection.raw, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        guard let request = try? Request(JSONText(line).root) else { return }
        requests.all.withLock { $0.append(request) }
        try? connection.write(encodeLine(answer(request)), path: "a connection")
    }
}
