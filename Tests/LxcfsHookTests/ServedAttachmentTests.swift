import Control
import Glibc
import Testing

@testable import LxcfsHook

/// What happens before anything is mounted: needs no privileges.
@Suite struct ServedAttachmentTests {
    static let plan = Plan(
        rootfs: "/nosuch", targets: [Target(.proc, name: "meminfo")], cpus: .quota)

    /// - Returns: why nothing was attached, and what the log says.
    static func failure(_ origin: Origin) throws -> (reason: String, lines: [String]) {
        let process = try ContainerProcess(pid: getpid())
        var reason = ""
        let lines = LogTests.lines(.debug) { log in
            do throws(AttachError) {
                _ = try ServedAttachment(
                    origin: origin, process: process, existing: .keep, freezes: false, log: log
                ).run(
                    plan, Registration(origin: origin, id: "web"), failure: .error,
                    isAllOrNothing: false)
            } catch {
                reason = error.description
            }
        }
        return (reason, lines)
    }

    @Test func aDaemonThatRefusesIsNotAskedAgain() throws {
        let requests = try FakeDaemon.run({ _ in Reply(error: "too many containers") }) {
            let (reason, lines) = try Self.failure(.daemon(runtimeDirectory: $0))
            #expect(reason == "too many containers")
            #expect(lines.isEmpty)
        }
        #expect(requests.map(\.op) == [.register])
        #expect(requests.first?.id == "web")
        #expect(requests.first?.pid == getpid())
        #expect(requests.first?.cpus == .quota)
    }

    @Test func theRegistrationIsWithdrawnIfNothingCanBeMounted() throws {
        let requests = try FakeDaemon.run({ _ in Reply(path: "/proc") }) {
            let (reason, lines) = try Self.failure(.daemon(runtimeDirectory: $0))
            #expect(reason == "/proc is not served by lxcfs: it is on procfs")
            #expect(lines.isEmpty)
        }
        #expect(requests.map(\.op) == [.register, .unregister])
    }

    @Test func aFailureToWithdrawIsOnlyAWarning() throws {
        let requests = try FakeDaemon.run({
            $0.op == .register ? Reply(path: "/proc") : Reply(error: "busy")
        }) {
            let (reason, lines) = try Self.failure(.daemon(runtimeDirectory: $0))
            #expect(reason == "/proc is not served by lxcfs: it is on procfs")
            #expect(lines == ["warning web: cannot unregister the container: busy"])
        }
        #expect(requests.count == 2)
    }

    @Test func aDaemonMustNameADirectory() throws {
        for reply in [Reply(), Reply(path: "web")] {
            let requests = try FakeDaemon.run({ _ in reply }) {
                let (reason, _) = try Self.failure(.daemon(runtimeDirectory: $0))
                #expect(reason == "the daemon's answer names no directory")
            }
            #expect(requests.map(\.op) == [.register])
        }
    }

    @Test func withoutADaemon() throws {
        let (reason, lines) = try Self.failure(.daemon(runtimeDirectory: FakeDaemon.nowhere))
        #expect(reason.hasPrefix("the daemon is not running: "))
        #expect(lines.isEmpty)
    }

    @Test func lxcfsIsNotAsked() throws {
        let (reason, lines) = try Self.failure(.lxcfs(root: "/proc"))
        #expect(reason == "/proc is not served by lxcfs: it is on procfs")
        #expect(lines.isEmpty)
    }

    /// The container's namespace has no such root, which would be an error inside.
    @Test func withoutFilesTheContainerIsNotEntered() throws {
        let process = try ContainerProcess(pid: getpid())
        let outcomes = try Attachment.run(
            [], process: process, rootfs: "/nosuch", existing: .keep)
        #expect(outcomes.isEmpty)
    }
}
