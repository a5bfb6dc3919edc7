/// How large a container is shown to be.
struct ShownSizes {
    /// nil if that cannot be found out.
    var cpus: Int?
    /// Bytes; nil if that cannot be found out.
    var memory: UInt64?
}
