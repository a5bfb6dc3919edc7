import Syscalls

/// A detached mount of one virtual file.
final class Source {
    let target: Target
    let mount: FileDescriptor
    let identity: FileIdentity

    init(target: Target, mount: consuming FileDescriptor, identity: FileIdentity) {
        self.target = target
        self.mount = mount
        self.identity = identity
    }
}
