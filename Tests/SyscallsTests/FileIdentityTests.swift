import Glibc
import Testing

@testable import Syscalls

@Suite struct FileIdentityTests {
    @Test func rootOfProcfs() throws {
        let proc = try FileDescriptor.open("/proc", O_RDONLY | O_DIRECTORY)
        let root = try proc.identity()
        #expect(root.isMountRoot)
        #expect(root.kind == .directory)
        #expect(root.inode == 1)
        let version = try proc.open(at: "version", O_RDONLY).identity()
        #expect(!version.isMountRoot)
        #expect(version.kind == .regular)
        #expect(version.mountID == root.mountID)
        #expect(version.device == root.device)
        #expect(!version.isSameFile(as: root))
        #expect(try version.isSameFile(as: proc.open(at: "version").identity()))
    }

    @Test func crossingIsSeen() throws {
        let root = try FileDescriptor.open("/", O_RDONLY | O_DIRECTORY)
        let error = #expect(throws: SystemError.self) {
            _ = try root.open(at: "proc", O_RDONLY, resolve: .noCrossing)
        }
        #expect(error?.errno == EXDEV)
    }

    @Test func thisKernelHasWhatTheHookNeeds() {
        // Linux 5.12 and root are needed to mount, but not to ask.
        #expect(MountFeature.openat2.isSupported)
        #expect(MountFeature.openTree.isSupported)
    }
}
