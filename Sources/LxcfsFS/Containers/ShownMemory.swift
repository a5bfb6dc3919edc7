import ProcView

/// What `/proc/meminfo` was made from last.
struct ShownMemory {
    let view: MemoryView
    /// In bytes.
    let shmem: UInt64
    /// ``Clock/monotonic()`` before it was gathered.
    let time: UInt64
}
