import Syscalls

/// A descriptor that is kept for the next worker, on its way from one process to another.
///
/// Whoever drops it closes the descriptor.
package struct NamedDescriptor: ~Copyable, Sendable {
    /// At most ``nameLimit`` bytes, of the choice of the part of the worker that the descriptor belongs to, such as
    /// `seccomp:<number>`.
    package let name: String
    /// What that part has to know of it; at most ``payloadLimit`` bytes.
    package let payload: String
    package let descriptor: FileDescriptor

    /// Bytes of a name: the longest ones have the name of a file in them.
    package static let nameLimit = 512

    /// Bytes of a payload: with its escapes it has to fit into one message.
    package static let payloadLimit = 8192

    package init(name: String, payload: String, _ descriptor: consuming FileDescriptor) {
        self.name = name
        self.payload = payload
        self.descriptor = descriptor
    }

    /// Leaves only the descriptor.
    package consuming func takeDescriptor() -> FileDescriptor { descriptor }
}
