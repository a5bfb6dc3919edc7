import Testing

@testable import KernelText

@Suite struct PrintableTests {
    @Test func textStays() {
        for text in ["", "a b~", "gr\u{fc}n", "\u{65e5}\u{672c}"] {
            #expect(printable(text) == text)
        }
    }

    @Test func nothingStartsALineOrSteersATerminal() {
        #expect(printable("a\nb\rc\td\u{0}") == "a?b?c?d?")
        #expect(printable("\u{1B}[2J\u{7F}\u{85}\u{9B}1m") == "?[2J???1m")
        #expect(printable("\u{2028}x\u{202E}y\u{2066}") == "?x?y?")
    }
}
