import ProcView

/// The counters of a container that do not only depend on what the kernel says now. They go on
/// when another worker takes over.
struct KeptCounters {
    /// CPU time as it was booked.
    var ledger = CPULedger()
    /// The highest process number that has been seen in it.
    var highestPID = 0
    /// nil until `/proc/loadavg` is read for the first time.
    var load: LoadAverage?
    /// Bytes that are reserved for them in ``CounterRecords``.
    var reserved = 0
}
