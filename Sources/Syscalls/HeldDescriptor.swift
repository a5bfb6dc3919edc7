/// A descriptor in a box, for collections and for more than one owner; closed with the last.
public final class HeldDescriptor: Sendable {
    public let descriptor: FileDescriptor

    public init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
