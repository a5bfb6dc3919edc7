/// What is to become of a file.
struct FileChange: Equatable {
    /// As the root sees it.
    let path: String
    /// nil: there is none.
    let before: [UInt8]?
    let after: [UInt8]?

    var isOne: Bool { before != after }
}
