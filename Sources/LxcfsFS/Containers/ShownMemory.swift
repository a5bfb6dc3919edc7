import ProcView

/// What `/proc/meminfo` was made from last.
struct ShownMemory {
    let view: MemoryView
    /// ``Clock/monotonic()`` before it was gathered.
    let time: UInt64
}
