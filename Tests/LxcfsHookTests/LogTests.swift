import Testing

@testable import LxcfsHook

@Suite struct LogTests {
    final class Lines {
        var all: [String] = []
    }

    static func lines(_ level: LogLevel, _ body: (Log) -> Void) -> [String] {
        let lines = Lines()
        var log = Log(level: level) { level, message in
            lines.all.append("\(level) \(message)")
        }
        log.container = "web"
        body(log)
        return lines.all
    }

    @Test func levels() {
        func all(_ log: Log) {
            log.debug("d")
            log.info("i")
            log.warning("w")
            log.error("e")
        }
        #expect(Self.lines(.warning, all) == ["warning web: w", "error web: e"])
        #expect(Self.lines(.debug, all).count == 4)
    }

    @Test func whatContainersWriteForgesNoLine() {
        let lines = Self.lines(.info) { $0.info("a\nlxcfs-hook: forged\u{1B}[2J\u{85}") }
        #expect(lines == ["info web: a?lxcfs-hook: forged?[2J?"])
    }

    @Test func longMessagesAreCut() {
        let lines = Self.lines(.info) { $0.info(String(repeating: "x", count: 100_000)) }
        #expect(lines.allSatisfy { $0.utf8.count < 1100 })
    }
}
