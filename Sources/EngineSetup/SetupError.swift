/// Why an engine is not set up. A sentence, with the file, and what to do about it.
struct SetupError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
