import KernelText
import Testing

@testable import LxcfsFS

@Suite struct CPUQueueTests {
    @Test(
        arguments: [
            ("0.10 0.20 0.30 5/812 1234\n", 4), ("0.10 0.20 0.30 1/812 1234\n", 0),
            ("10.00 9.00 8.00 112/9000 77\n", 111), ("", 0), ("nonsense", 0), ("1/2", 0),
            ("9/", 8),
        ] as [(String, UInt64)]) func running(_ text: String, _ others: UInt64)
    {
        let running = Array(text.utf8).withUnsafeBufferPointer { CPUQueue.running($0) }
        #expect(running == others)
    }
}
