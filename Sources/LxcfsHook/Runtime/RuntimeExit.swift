/// How `lxcfs-runtime` ends if it does not become the real runtime.
enum RuntimeExit {
    /// A container that cannot be served, and has to be. As runc and crun end on any error.
    static let required: Int32 = 1
    /// The real runtime cannot be executed.
    static let notExecuted: Int32 = 126
    /// There is none.
    static let notFound: Int32 = 127
}
