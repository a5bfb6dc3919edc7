/// A command line that makes no sense.
public struct UsageError: Error, Equatable, CustomStringConvertible {
    public let description: String
}
