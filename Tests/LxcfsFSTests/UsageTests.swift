import Testing

@testable import LxcfsFS

/// What `lxcfsd top` asks of a container.
@Suite struct UsageTests {
    private func average(_ text: String) -> Double? {
        Array(text.utf8).withUnsafeBufferPointer { Container.average(in: $0) }
    }

    @Test func theFirstAverageOfThePressureFile() {
        let text = """
            some avg10=12.05 avg60=3.00 avg300=0.10 total=123
            full avg10=1.00 avg60=0.00 avg300=0.00 total=1

            """
        #expect(average(text) == 12.05)
        #expect(average("some avg10=100.00 avg60=0.00") == 100)
    }

    @Test(arguments: [
        "", "some", "some avg10=", "some avg10=1", "some avg10=1.", "full avg10=1.00",
    ])
    func whatIsNoPressureFileHasNone(_ text: String) { #expect(average(text) == nil) }
}
