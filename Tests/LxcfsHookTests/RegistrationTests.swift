import Control
import Testing

@testable import LxcfsHook

@Suite struct RegistrationTests {
    static func unregister(_ origin: Origin) throws -> [String] {
        var result = Result<Void, any Error>.success(())
        let lines = LogTests.lines(.debug) { log in
            result = Result {
                try Registration(origin: origin, id: "web").unregister(pid: nil, log: log)
            }
        }
        try result.get()
        return lines
    }

    @Test func lxcfsServesEverybody() throws {
        let registration = Registration(origin: .lxcfs(root: "/lxcfs"), id: "web")
        #expect(
            try registration.register(pid: 7, cpus: nil)
                == Registration.Place(path: "/lxcfs", id: "web"))
        #expect(try Self.unregister(registration.origin).isEmpty)
    }

    @Test func unregisteringNeedsNoDaemon() throws {
        let lines = try Self.unregister(.daemon(runtimeDirectory: FakeDaemon.nowhere))
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("debug web: not unregistered: ") == true)
    }

    @Test func aDaemonThatRefusesToUnregisterIsAnError() throws {
        let requests = try FakeDaemon.run({ _ in Reply(error: "busy") }) { directory in
            #expect(throws: RegistrationError.failed("busy")) {
                try Self.unregister(.daemon(runtimeDirectory: directory))
            }
        }
        #expect(requests.map(\.op) == [.unregister])
    }
}
