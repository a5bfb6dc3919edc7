/// A file that could not be mounted.
struct Failure: Equatable, CustomStringConvertible {
    let target: Target
    let reason: String

    var description: String { "\(target): \(reason)" }
}
