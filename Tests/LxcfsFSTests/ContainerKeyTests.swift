import Glibc
import Testing

@testable import LxcfsFS

@Suite struct ContainerKeyTests {
    static func key(_ id: String, taken: Set<String> = []) -> String {
        ContainerKey.make(for: id, isTaken: taken.contains)
    }

    @Test(arguments: ["a", "0123abcd", "my_pod-1.scope", "x+y", "a:b@c", "a..b"])
    func ordinaryIdsStayAsTheyAre(_ id: String) {
        #expect(Self.key(id) == id)
    }

    @Test(arguments: [
        (".foo", "%2Efoo"), ("..", "%2E."), (".", "%2E"), (".opens", "%2Eopens"),
        ("proc", "%70roc"), ("sys", "%73ys"), ("a b", "a%20b"), ("50%", "50%25"),
        ("x~2", "x%7E2"), ("a\nb", "a%0Ab"), ("\u{7F}", "%7F"), ("\u{e4}", "%C3%A4"),
    ])
    func othersAreWrittenDifferently(_ id: String, _ key: String) {
        #expect(Self.key(id) == key)
    }

    @Test func longIdsAreCut() {
        let long = String(repeating: "x", count: 255)
        let key = Self.key(long)
        #expect(key == String(repeating: "x", count: 249))
        let other = Self.key(long, taken: [key])
        #expect(other == String(repeating: "x", count: 247) + "~2")
        // What replaces the state file has a name, too.
        #expect(("." + other + ".json").utf8.count == Int(NAME_MAX))
        #expect(Self.key(String(repeating: "\u{e4}", count: 127)).utf8.count == 249)
    }

    @Test func takenNamesGetANumber() {
        #expect(Self.key("web", taken: ["web", "web~2"]) == "web~3")
        #expect(Self.key("proc", taken: ["%70roc"]) == "%70roc~2")
    }

    @Test(arguments: ["", "a/b", String(repeating: "x", count: 256)])
    func noContainerIsCalledThat(_ id: String) {
        #expect(ContainerKey.objection(toID: id) != nil)
    }

    @Test(arguments: [
        "a", ".foo", "..", "proc", "a b", "a\nb", "\u{7F}", String(repeating: "x", count: 255),
    ])
    func containersMayBeCalledThat(_ id: String) {
        #expect(ContainerKey.objection(toID: id) == nil)
    }
}
