import Testing

@testable import Reports

@Suite struct ShortIDsTests {
    private let one = String(repeating: "a1", count: 32)

    @Test func twelveDigitsAsEnginesShow() {
        let ids = ShortIDs([one, "web", "deadbeef"])
        #expect(ids.short(one) == "a1a1a1a1a1a1")
        #expect(ids.short("web") == "web")
        // A name that somebody has chosen, although there are only digits in it.
        #expect(ids.short("deadbeef") == "deadbeef")
        #expect(ids.short("another") == "another")
    }

    @Test func moreWhereTwoWouldLookTheSame() {
        let other = String(one.prefix(14)) + String(repeating: "f", count: 50)
        let third = String(one.prefix(13)) + String(repeating: "0", count: 51)
        let ids = ShortIDs([one, other, third, one])
        #expect(ids.short(one) == "a1a1a1a1a1a1a1a")
        #expect(ids.short(other) == "a1a1a1a1a1a1a1f")
        #expect(ids.short(third) == "a1a1a1a1a1a1a0")
    }

    @Test func theSecondOneWithAnIDKeepsItsNumber() {
        let ids = ShortIDs([one, one + "~2"])
        #expect(ids.short(one) == "a1a1a1a1a1a1")
        #expect(ids.short(one + "~2") == "a1a1a1a1a1a1~2")
        #expect(ids.short(one + "~x") == one + "~x")
    }

    /// Whatever ids there are: no two of them look the same.
    @Test func noTwoLookTheSame() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let ids = (0..<20).map { _ in
                let digits = (0..<40).map { _ in UInt8.random(in: 0..<2, using: &random) }
                return String(repeating: "0", count: 8) + digits.map { "\($0)" }.joined()
            }
            let short = ShortIDs(ids)
            let distinct = Set(ids)
            #expect(Set(distinct.map(short.short)).count == distinct.count)
        }
    }

    @Test func pathsAreShortenedSoThatAShellFindsThem() {
        #expect(
            ShortIDs.shortened(path: "/machine.slice/libpod-\(one).scope")
                == "/machine.slice/libpod-a1a1a1a1a1a1*.scope")
        #expect(ShortIDs.shortened(path: "/docker/abc/\(one)") == "/docker/abc/a1a1a1a1a1a1*")
        #expect(ShortIDs.shortened(path: "/") == "/")
    }
}

@Suite struct PlainTextTests {
    @Test func whatATerminalWouldObeyIsEscaped() {
        #expect(
            PlainText.escape("a\u{1b}[2J\r\n\t\u{7f}") == "a\\u{1b}[2J\\u{d}\\u{a}\\u{9}\\u{7f}"
        )
        // C1 controls, the soft hyphen, marks that turn the direction, wide characters.
        #expect(PlainText.escape("\u{9b}\u{ad}\u{202e}") == "\\u{9b}\\u{ad}\\u{202e}")
        #expect(PlainText.escape("日") == "\\u{65e5}")
        #expect(PlainText.escape("größe-1_a.b") == "größe-1_a.b")
        #expect(PlainText.escape("\\u{1b}") == "\\\\u{1b}")
    }

    @Test func aCutShowsThatItIsOne() {
        #expect(PlainText.cut("abcdef", to: 6) == "abcdef")
        #expect(PlainText.cut("abcdef", to: 4) == "abc+")
        #expect(PlainText.cut("abcdef", to: 1) == "+")
        #expect(PlainText.cut("abcdef", to: 0) == "")
    }
}

@Suite struct AmountsTests {
    @Test(arguments: [
        (0.0, "0s"), (59.9, "59s"), (61, "1m1s"), (3_600, "1h0m"), (90_000, "1d1h"), (-5, "0s"),
        (.nan, "0s"),
    ]) func durations(_ seconds: Double, _ text: String) {
        #expect(duration(seconds) == text)
    }

    @Test func sizes() {
        #expect(size(0) == "0K")
        #expect(size(512 << 10) == "512K")
        #expect(size(256 << 20) == "256M")
        #expect(size(10 << 30) == "10G")
        #expect(size(.max) == "16777215T")
    }

    @Test func decimals() {
        #expect(decimal(0.005, digits: 1) == "0.0")
        #expect(decimal(0.05, digits: 2) == "0.05")
        #expect(decimal(12.345, digits: 2) == "12.35" || decimal(12.345, digits: 2) == "12.34")
        #expect(decimal(99.96, digits: 1) == "100.0")
        #expect(decimal(-1.5, digits: 1) == "-1.5")
        #expect(decimal(.infinity, digits: 1) == "-")
    }
}
