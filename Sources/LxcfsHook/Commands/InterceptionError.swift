/// Why the agent is not to answer a container's system calls.
struct InterceptionError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
