import Reports

/// What `lxcfsd top` has been told.
struct TopSettings {
    let query: SocketOptions
    /// By which it sorts at first.
    let order: UsageOrder
    /// Seconds between two looks.
    let delay: Double
    /// Tables to show; 0: without end; nil if nothing has been said.
    let iterations: Int?
    let showsWholeIDs: Bool
}
