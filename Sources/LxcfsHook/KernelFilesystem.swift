/// A kernel filesystem whose files are replaced, by its usual place.
enum KernelFilesystem: String, CaseIterable, Sendable {
    case proc, sys

    /// Its place in a container.
    var mountpoint: String { "/" + rawValue }
}
