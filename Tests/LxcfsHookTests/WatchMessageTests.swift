import Syscalls
import Testing

@testable import LxcfsHook

@Suite struct WatchMessageTests {
    static let files = MountedFiles(
        pid: 7, namespace: 4_026_531_840, rootfs: "/a b\u{e4}",
        devices: [DeviceNumber(major: 0, minor: 51), DeviceNumber(major: 8, minor: 1)])

    static let all: [WatchMessage] =
        LogLevel.allCases.map { .log($0, "text \($0)") }
        + [Step.reading, .deciding, .registering, .preparing, .unregistering].flatMap {
            [.step($0, container: nil), .step($0, container: "web")]
        }
        + [
            .step(.mounting(files), container: "web"), .step(.mounting(files), container: nil),
            .output([]), .output([0, 1, 255]),
        ] + ExitCode.allCases.map { .end($0) }

    @Test(arguments: all.indices) func arrivesAsItWasSent(index: Int) {
        #expect(WatchMessage(Self.all[index].bytes) == Self.all[index])
    }

    @Test(arguments: [
        [], [76], [76, 9], [83, 99], [77], [77, 1, 0], [69], [69, 200], [1, 2],
    ])
    func nonsenseIsNoMessage(bytes: [UInt8]) {
        #expect(WatchMessage(bytes) == nil)
    }
}
