import Testing

@testable import Syscalls

/// Numbers from the kernel's syscall tables.
@Suite struct InterceptedCallTests {
    private static let x86_64: UInt32 = 0xC000_003E
    private static let i386: UInt32 = 0x4000_0003
    private static let aarch64: UInt32 = 0xC000_00B7
    private static let arm: UInt32 = 0x4000_0028

    @Test(
        arguments: [
            (x86_64, 99, false), (x86_64, 0x4000_0063, false), (i386, 116, true),
            (aarch64, 179, false), (arm, 116, true),
        ] as [(UInt32, Int32, Bool)])
    func sysinfo(architecture: UInt32, number: Int32, is32Bit: Bool) {
        let found = InterceptedCall.identify(architecture: architecture, number: number)
        #expect(found.name == .sysinfo)
        #expect(found.is32Bit == is32Bit)
    }

    @Test(
        arguments: [
            (x86_64, 204), (x86_64, 0x4000_00CC), (i386, 242), (aarch64, 123), (arm, 242),
        ] as [(UInt32, Int32)])
    func affinity(architecture: UInt32, number: Int32) {
        let found = InterceptedCall.identify(architecture: architecture, number: number)
        #expect(found.name == .schedGetaffinity)
    }

    /// i386's 99 is statfs, x86_64's 116 setgroups.
    @Test(
        arguments: [
            (i386, 99), (x86_64, 116), (x86_64, -1), (aarch64, 99), (0x1234, 99),
        ] as [(UInt32, Int32)])
    func others(architecture: UInt32, number: Int32) {
        #expect(
            InterceptedCall.identify(architecture: architecture, number: number).name == .other)
    }
}
