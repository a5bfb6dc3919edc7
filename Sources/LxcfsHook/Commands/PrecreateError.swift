/// Why a configuration cannot be changed as it should be.
struct PrecreateError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
