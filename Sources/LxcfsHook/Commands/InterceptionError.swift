/// Why system calls are not intercepted.
struct InterceptionError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
