import Glibc
import KernelText
import Syscalls
import Testing

@testable import LxcfsFS

/// Answers are written where the kernel would write them, and nowhere else.
@Suite struct CallerMemoryTests {
    static let page = Int(getpagesize())

    /// Four pages: readable, writable, writable in a mapping of its own, and none.
    static func withPages(
        _ body: (UnsafeMutableRawPointer) throws -> Void
    ) throws {
        let all = try #require(
            mmap(nil, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        try #require(all != MAP_FAILED)
        defer { munmap(all, 4 * page) }
        let shared = mmap(
            all + 2 * page, page, PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
        try #require(shared == all + 2 * page)
        memset(all, 0x5a, 3 * page)
        try #require(mprotect(all, page, PROT_READ) == 0)
        try #require(mprotect(all + 3 * page, page, PROT_NONE) == 0)
        try body(all)
    }

    static let answer: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    static func write(at address: UnsafeMutableRawPointer) throws -> Bool {
        try write(at: UInt64(UInt(bitPattern: address)))
    }

    static func write(at address: UInt64) throws -> Bool {
        let memory = try CallerMemory(of: gettid(), FileDescriptor.open("/proc"))
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
        defer { bytes.deallocate() }
        bytes.copyBytes(from: answer)
        return try memory.write(UnsafeRawBufferPointer(bytes), at: address)
    }

    @Test func whereTheCallerMayWrite() throws {
        try Self.withPages { pages in
            let page = Self.page
            for offset in [page, page + 100, 2 * page - 8, 2 * page - 3, 3 * page - 8] {
                let isWritten = try Self.write(at: pages + offset)
                #expect(isWritten, "\(offset)")
                #expect(memcmp(pages + offset, Self.answer, 8) == 0)
            }
        }
    }

    @Test func whereTheCallerMayNotWriteNothingIsWritten() throws {
        try Self.withPages { pages in
            let page = Self.page
            let untouched = [UInt8](repeating: 0x5a, count: 8)
            for offset in [0, page - 8, page - 4, 3 * page - 4, 3 * page, 4 * page - 8] {
                let isWritten = try Self.write(at: pages + offset)
                #expect(!isWritten, "\(offset)")
            }
            for offset in [0, page - 8, page - 4] {
                #expect(memcmp(pages + offset, untouched, 8) == 0, "\(offset)")
            }
            #expect(memcmp(pages + 3 * page - 4, untouched, 4) == 0)
        }
    }

    @Test(arguments: [0, 16, UInt64.max, UInt64.max - 7, 1 << 63])
    func whereNothingCanBe(address: UInt64) throws {
        #expect(try !Self.write(at: address))
    }

    /// Kernels before 6.11 list all mappings; others are asked for one. Both say the same.
    @Test func bothWaysToAskAgree() throws {
        try Self.withPages { pages in
            let maps = try FileDescriptor.open("/proc/self/maps")
            let table = try readFile("/proc/self/maps", limit: 1 << 24)
            for offset in stride(from: 0, to: 4 * Self.page, by: Self.page / 2) {
                let address = UInt64(UInt(bitPattern: pages + offset))
                let listed = table.withUnsafeBufferPointer {
                    MemoryMaps.mapping(at: address, in: $0)
                }
                let isWritable = (Self.page..<3 * Self.page).contains(offset)
                #expect(listed?.isWritable == isWritable)
                do {
                    let asked = try MemoryMapping.at(address, maps)
                    #expect(asked?.isWritable == isWritable)
                } catch let error as SystemError {
                    #expect(error.errno == ENOTTY)
                }
            }
        }
    }
}
