/// A state or config.json that does not make sense.
struct InputError: Error, Equatable, CustomStringConvertible {
    let description: String
    /// The runtime cannot make a container of it either.
    var isHopeless = false
}
