import Control
import Glibc
import Testing

@testable import LxcfsHook

/// Up to where a container would be entered: needs no privileges.
@Suite struct CommandRunnerTests {
    static func run(
        runtimeDirectory: String = FakeDaemon.nowhere,
        _ body: (inout CommandRunner) -> ExitCode
    ) -> (ExitCode, [String]) {
        var options = Options()
        options.origin = .daemon(runtimeDirectory: runtimeDirectory)
        var code = ExitCode.success
        let lines = LogTests.lines(.info) { log in
            var log = log
            log.container = nil
            var runner = CommandRunner(options: options, log: log)
            code = body(&runner)
        }
        return (code, lines)
    }

    @Test func noSuchProcess() {
        // The largest pid that Linux knows is 1 << 22 (proc_sys_kernel(5)).
        let pid: Int32 = 1 << 30
        let (code, lines) = Self.run { $0.attach(pid: pid, id: nil) }
        #expect(code == .failure)
        #expect(lines == ["error not attached: there is no process \(pid)"])
        let (other, more) = Self.run { $0.detach(pid: pid, id: nil) }
        #expect(other == .failure)
        #expect(more == ["error not detached: there is no process \(pid)"])
    }

    @Test func processOfTheHost() {
        let (code, lines) = Self.run { $0.attach(pid: getpid(), id: "web") }
        #expect(code == .failure)
        #expect(
            lines == [
                """
                error not attached: process \(getpid()) is in this mount namespace, not in a \
                container
                """
            ])
    }

    @Test func attachAllNeedsADaemon() {
        let (code, lines) = Self.run { $0.attachAll() }
        #expect(code == .failure)
        #expect(lines.count == 1)
        #expect(
            lines.first?.hasPrefix("error nothing attached: the daemon is not running") == true)
    }

    @Test func attachAllGoesOnAfterAFailureAndLeavesEndedContainersAlone() throws {
        let requests = try FakeDaemon.run({ request in
            func container(_ id: String, _ isRunning: Bool?) -> ContainerSummary {
                ContainerSummary(
                    id: id, pid: getpid(), uptime: 1, cgroup: "/", cpus: nil, memoryTotal: nil,
                    isRunning: isRunning)
            }
            guard request.op == .list else { return Reply(status: DaemonStatus()) }
            return Reply(containers: [
                container("a", true), container("b", false), container("c", nil),
            ])
        }) { directory in
            let (code, lines) = Self.run(runtimeDirectory: directory) {
                $0.attachAll { _, log, body in Watch.Result(code: body(log) { _ in }) }
            }
            #expect(code == .failure)
            let reason = """
                not attached: process \(getpid()) is in this mount namespace, not in a container
                """
            #expect(
                lines == [
                    "error a: \(reason)", "error c: \(reason)",
                    "info 0 of 3 containers attached anew",
                ])
        }
        #expect(requests.map(\.op) == [.list, .status])
    }

    @Test func attachAllGivesUpADaemonThatHangs() throws {
        _ = try FakeDaemon.run({ request in
            guard request.op == .list else { return Reply(status: DaemonStatus()) }
            return Reply(
                containers: (1...9).map {
                    ContainerSummary(
                        id: "c\($0)", pid: getpid(), uptime: 1, cgroup: "/", cpus: nil,
                        memoryTotal: nil, isRunning: true)
                })
        }) { directory in
            var tried = 0
            let (code, lines) = Self.run(runtimeDirectory: directory) {
                $0.attachAll { _, _, _ in
                    tried += 1
                    return Watch.Result(code: .overdue)
                }
            }
            #expect(code == .failure)
            #expect(tried == 3)
            #expect(
                lines.first?.hasPrefix("error given up: 3 containers were not done") == true)
        }
    }
}
