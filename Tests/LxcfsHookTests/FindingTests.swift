import Testing

@testable import LxcfsHook

@Suite struct FindingTests {
    @Test func lines() {
        #expect(Finding.ok("fine").description == "ok   fine")
        #expect(Finding.warn("odd").description == "warn odd")
        #expect(Finding.fail("a\nok   forged").description == "FAIL a?ok   forged")
    }
}
