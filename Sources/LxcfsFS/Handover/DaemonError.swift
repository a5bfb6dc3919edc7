/// What keeps the daemon from going on, in a sentence of its own.
///
/// For what no system call has said: a `SystemError` would need an errno, and the reader would
/// take that for the kernel's word.
public struct DaemonError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    /// - Parameter sentence: as it is to be shown, without a full stop.
    public init(_ sentence: String) { description = sentence }
}
