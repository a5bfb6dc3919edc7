import Testing

@testable import EngineSetup

@Suite struct LineDifferenceTests {
    static func text(_ one: String?, _ two: String?) -> String {
        LineDifference(one.map { Array($0.utf8) }, two.map { Array($0.utf8) })
            .unified(one == nil ? nil : "a", two == nil ? nil : "b")
    }

    @Test func twoPlaces() {
        let one = (1...20).map { "\($0)\n" }.joined()
        let two = one.replacing("\n2\n", with: "\ntwo\n").replacing("20\n", with: "20\n21\n")
        #expect(
            Self.text(one, two) == """
                --- a
                +++ b
                @@ -1,5 +1,5 @@
                 1
                -2
                +two
                 3
                 4
                 5
                @@ -18,3 +18,4 @@
                 18
                 19
                 20
                +21

                """)
    }

    @Test func aNewFile() {
        #expect(Self.text(nil, "x\n") == "--- /dev/null\n+++ b\n@@ -0,0 +1,1 @@\n+x\n")
        #expect(Self.text("x\n", nil) == "--- a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n")
        #expect(Self.text("x\n", "x\n").isEmpty)
    }

    @Test func theLastLineHasNoEnd() {
        #expect(
            Self.text("x", "x\n")
                == "--- a\n+++ b\n@@ -1,1 +1,1 @@\n-x\n\\ No newline at end of file\n+x\n")
    }
}
