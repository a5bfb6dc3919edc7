import LxcfsHandover
import Testing

@testable import LxcfsKeeper

@Suite struct MountPlaceTests {
    @Test(arguments: [
        (nil, MountPlace.own), ("", .own), ("0", .own), ("1", .host),
    ])
    func whatTheVariableMeans(value: String?, place: MountPlace) throws {
        #expect(try MountPlace(value) == place)
    }

    /// A typing error must not put mounts where nobody sees them.
    @Test(arguments: ["yes", "true", " 1", "2", "01"])
    func whatItCannotBe(value: String) {
        #expect(throws: DaemonError.self) { try MountPlace(value) }
    }

    @Test func inItsOwnNothingIsMoved() throws {
        #expect(try MountPlace.own.within { 7 } == 7)
        #expect(throws: DaemonError("no")) {
            try MountPlace.own.within { throw DaemonError("no") }
        }
        #expect(MountPlace.own.capabilities.isEmpty)
        #expect(!MountPlace.host.capabilities.isEmpty)
    }
}
