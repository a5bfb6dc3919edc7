/// A command line that makes no sense.
struct UsageError: Error, Equatable, CustomStringConvertible {
    let description: String
}
