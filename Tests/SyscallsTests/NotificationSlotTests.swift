import Testing

@testable import Syscalls

/// What the next process makes of a slot, wherever this one has ended.
@Suite struct NotificationSlotTests {
    /// The layout is part of what versions of the daemon hand over to each other.
    private static let size = 512
    private static let listener = 0
    private static let id = 16

    private func withSlot(_ body: (NotificationSlot, UnsafeMutableRawPointer) -> Void) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.size, alignment: 64)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: Self.size)
        body(NotificationSlot(memory), memory)
    }

    @Test func isAsLargeAsEver() { #expect(NotificationSlot.size == Self.size) }

    @Test func tellsWhatIsBeingAnswered() {
        withSlot { slot, memory in
            #expect(slot.inFlight == nil)
            memory.storeBytes(of: 7, toByteOffset: Self.listener, as: UInt64.self)
            memory.storeBytes(of: 0x1234, toByteOffset: Self.id, as: UInt64.self)
            #expect(slot.inFlight?.listener == 7)
            #expect(slot.inFlight?.id == 0x1234)
            slot.clear()
            #expect(slot.inFlight == nil)
            #expect(memory.load(fromByteOffset: Self.listener, as: UInt64.self) == 0)
            #expect(memory.load(fromByteOffset: Self.id, as: UInt64.self) == 0)
        }
    }

    /// A call that an earlier process had received must not be taken for one of a listener that
    /// the slot is about to receive from.
    @Test func receivingForgetsTheCallBefore() {
        withSlot { slot, memory in
            memory.storeBytes(of: 7, toByteOffset: Self.listener, as: UInt64.self)
            memory.storeBytes(of: 0x1234, toByteOffset: Self.id, as: UInt64.self)
            #expect(slot.receive(-1, listener: 8) < 0)
            #expect(slot.inFlight == nil)
            #expect(memory.load(fromByteOffset: Self.listener, as: UInt64.self) == 8)
        }
    }
}
