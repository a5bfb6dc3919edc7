import LxcfsHandover
import Testing

@Suite struct InitialExchangeTests {
    private let memory: UnsafeMutableRawPointer
    private let exchange: InitialExchange

    init() {
        memory = .allocate(byteCount: InitialExchange.size, alignment: 8)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: InitialExchange.size)
        exchange = InitialExchange(memory)
    }

    /// INIT of a kernel that offers `flags` (of 64 bits).
    private func receive(_ flags: UInt64, size: UInt32 = 104) {
        memory.storeBytes(of: size, as: UInt32.self)
        memory.storeBytes(of: 26, toByteOffset: 4, as: UInt32.self)
        memory.storeBytes(
            of: UInt32(truncatingIfNeeded: flags), toByteOffset: 52, as: UInt32.self)
        memory.storeBytes(of: UInt32(flags >> 32), toByteOffset: 56, as: UInt32.self)
    }

    private func answer(_ flags: UInt32, _ more: UInt32, size: Int = 80) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: flags, toByteOffset: 28, as: UInt32.self)
            if size >= 52 { $0.storeBytes(of: more, toByteOffset: 48, as: UInt32.self) }
        }
        return bytes
    }

    @Test func `a kernel that can do without file handles is asked to`() {
        defer { memory.deallocate() }
        receive(1 << 30 | 1 << 38 | 1 << 12)
        #expect(
            exchange.refusingHandles(answer(1 << 12, 0)) == answer(1 << 30 | 1 << 12, 1 << 6))
        // What libfuse says of the other flags stays; and what it does not mean to say is 0.
        #expect(
            exchange.refusingHandles(answer(1 << 30, 1 << 2))
                == answer(1 << 30, 1 << 2 | 1 << 6))
        #expect(exchange.refusingHandles(answer(0, 1 << 2)) == answer(1 << 30, 1 << 6))
    }

    @Test func `other kernels get the answer as it is`() {
        defer { memory.deallocate() }
        let plain = answer(1 << 12, 0)
        for flags: UInt64 in [0, 1 << 30, 1 << 38, 1 << 30 | 1 << 37] {
            receive(flags)
            #expect(exchange.refusingHandles(plain) == plain)
        }
        // Before Linux 5.17 INIT is shorter than the second half of the flags.
        receive(1 << 30 | 1 << 38, size: 56)
        #expect(exchange.refusingHandles(plain) == plain)
        receive(1 << 30 | 1 << 38)
        let short = answer(1 << 12, 0, size: 40)
        #expect(exchange.refusingHandles(short) == short)
    }

    @Test func `what is kept is libfuse's own answer`() {
        defer { memory.deallocate() }
        #expect(exchange.answer == nil)
        exchange.setAnswer(answer(1 << 12, 0))
        #expect(exchange.answer == answer(1 << 12, 0))
    }
}
