import KernelText

/// The lines `nr_*` of a `vmstat`, of a container or of one NUMA node, by what `meminfo` says.
struct VmstatAmounts {
    let pageSize: UInt64
    /// The size of a transparent huge page, in bytes.
    let hugePageSize: UInt64
    /// The kernel prints the lines in one order, so the search begins at the one that is expected.
    private var next = 0

    init(pageSize: UInt64, hugePageSize: UInt64) {
        self.pageSize = max(pageSize, 1)
        self.hugePageSize = max(hugePageSize, 1)
    }

    /// - Parameter bytes: how many bytes a line of `meminfo` says.
    /// - Returns: nil if `meminfo` says nothing about it.
    mutating func amount(_ name: Bytes, _ bytes: (MeminfoField) -> UInt64) -> UInt64? {
        if let index = VmstatField.index(of: name, from: next) {
            next = index + 1
            let field = VmstatField.all[index]
            let amount = bytes(field.meminfo)
            switch field.unit {
            case .pages: return amount / pageSize
            case .kilobytes: return amount / 1024
            case .hugePages: return amount / hugePageSize
            }
        }
        // With the swap cache, as the kernel counts it (NR_FILE_PAGES).
        if name.equals("nr_file_pages") {
            return clampedSum(bytes(.cached), bytes(.swapCached)) / pageSize
        }
        if name.equals("nr_zone_write_pending") {
            return clampedSum(bytes(.dirty), bytes(.writeback)) / pageSize
        }
        return nil
    }
}
