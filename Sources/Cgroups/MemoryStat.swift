import KernelText

/// The quantities of one `memory.stat`, in bytes.
public struct MemoryStat: Equatable, Sendable {
    private var values = InlineArray<25, UInt64>(repeating: 0)
    private var present: UInt32 = 0

    public init() {}

    /// nil if the kernel does not report it.
    @inline(__always)
    public subscript(field: MemoryField) -> UInt64? {
        get { present & (1 << field.rawValue) != 0 ? values[field.rawValue] : nil }
        set {
            values[field.rawValue] = newValue ?? 0
            if newValue != nil {
                present |= 1 << field.rawValue
            } else {
                present &= ~(1 << field.rawValue)
            }
        }
    }

    /// Zero where the kernel does not report it.
    @inline(__always)
    public func bytes(_ field: MemoryField) -> UInt64 { values[field.rawValue] }

    /// What the kernel gives up before it kills: page cache and, on v2, reclaimable slab.
    ///
    /// The file lists have what can be written back or dropped; shmem is on the lists of
    /// anonymous memory, and what is locked on that of the unevictable (vmscan.c,
    /// `get_scan_count`). v1 does not tell how much slab there is.
    public var reclaimable: UInt64 {
        clampedSum(
            clampedSum(bytes(.activeFile), bytes(.inactiveFile)), bytes(.slabReclaimable))
    }

    public static func == (a: MemoryStat, b: MemoryStat) -> Bool {
        MemoryField.allCases.allSatisfy { a[$0] == b[$0] }
    }

    /// Parses the text of a `memory.stat`; keys match as a whole.
    public init(parsing text: Bytes, unified: Bool) {
        let keys = unified ? Self.unifiedKeys : Self.legacyKeys
        var scanner = Scanner(text)
        // The kernel prints the keys in one order, so the next one wanted is usually the
        // one after the last found; the table is only searched from there on.
        var next = 0
        while let line = scanner.line() {
            let end = line.firstIndex(of: space, from: 0)
            let name = line.part(0..<end)
            for step in 0..<keys.count {
                let candidate = (next + step) % keys.count
                guard name.equals(keys[candidate].key) else { continue }
                if let value = parseNumber(line.part(end..<line.count)) {
                    self[keys[candidate].field] = value
                }
                next = candidate + 1
                break
            }
        }
    }

    private static let unifiedKeys = table(\.unifiedKey)
    private static let legacyKeys = table(\.legacyKey)

    private static func table(
        _ key: (MemoryField) -> StaticString?
    ) -> [(key: StaticString, field: MemoryField)] {
        MemoryField.allCases.compactMap { field in key(field).map { ($0, field) } }
    }
}
