/// Whose counters they are.
struct CounterOwner {
    /// See ``Container/slot``.
    let slot: UInt32
    /// See ``Container/identity``.
    let identity: UInt64
}
