/// The mounts of a mount namespace, from `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).
///
/// The table tells what a mount is without touching the mount: statfs(2) would ask a FUSE
/// server, and a container's own one may never answer.
struct MountTable {
    /// More mounts on one file than this are not a leftover but an attack.
    static let stackLimit = 16

    struct Mount: Equatable {
        /// The mount that this one is mounted on.
        let parent: UInt64
        let type: String
        /// The group of mounts that share what is mounted below them, in whatever namespace
        /// (mount_namespaces(7)); nil if this mount is not shared.
        var peerGroup: UInt64?

        var isFUSE: Bool { type == "fuse" || type == "fuseblk" || type.hasPrefix("fuse.") }
    }

    private let text: [UInt8]
    /// Where lines begin. Few of the many lines are ever asked for: each is parsed only then.
    private let lines: [Int]

    init(_ mountinfo: [UInt8]) {
        var lines = [0]
        for (index, byte) in mountinfo.enumerated() where byte == UInt8(ascii: "\n") {
            lines.append(index + 1)
        }
        text = mountinfo
        self.lines = lines
    }

    var peerGroups: Set<UInt64> {
        Set(
            lines.compactMap { start in
                var fields = fields(ofLineAt: start)
                return fields.number() == nil ? nil : mount(fields)?.peerGroup
            })
    }

    subscript(id: UInt64) -> Mount? {
        for start in lines.reversed() {
            var fields = fields(ofLineAt: start)
            if fields.number() == id, let mount = mount(fields) { return mount }
        }
        return nil
    }

    private func fields(ofLineAt start: Int) -> Fields { Fields(text: text, position: start) }

    /// - Parameter fields: those after the number of the mount.
    private func mount(_ fields: Fields) -> Mount? {
        // 36 35 98:0 /root /mountpoint options optional... - type source superoptions
        var fields = fields
        guard let parent = fields.number() else { return nil }
        for _ in 0..<4 { _ = fields.next() }
        var peerGroup: UInt64?
        while let field = fields.next() {
            if field.elementsEqual([UInt8(ascii: "-")]) {
                guard let type = fields.next() else { return nil }
                return Mount(
                    parent: parent, type: String(decoding: type, as: UTF8.self),
                    peerGroup: peerGroup)
            }
            if peerGroup == nil, field.starts(with: "shared:".utf8) {
                peerGroup = Fields.number(field.dropFirst("shared:".utf8.count))
            }
        }
        return nil
    }

    /// How many FUSE mounts lie on each other from mount `id` downwards, and the mount below
    /// them.
    func stack(from id: UInt64) -> (depth: Int, below: UInt64?) {
        var depth = 0
        var current: UInt64? = id
        // A table that was read while it changed may show a loop: the count ends at a limit.
        // Beyond it the caller gives up anyway.
        let limit = 2 * Self.stackLimit
        while let id = current, let mount = self[id], mount.isFUSE, depth <= limit {
            depth += 1
            current = mount.parent
        }
        return (depth, current)
    }

    /// The fields of a line, which are separated by blanks.
    private struct Fields {
        let text: [UInt8]
        var position: Int

        mutating func next() -> ArraySlice<UInt8>? {
            while position < text.count, text[position] == UInt8(ascii: " ") { position += 1 }
            let start = position
            while position < text.count, text[position] != UInt8(ascii: " "),
                text[position] != UInt8(ascii: "\n")
            { position += 1 }
            return start == position ? nil : text[start..<position]
        }

        mutating func number() -> UInt64? { next().flatMap(Self.number) }

        static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
            var value: UInt64 = 0
            for digit in digits {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else {
                    return nil
                }
                let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflows) = product.addingReportingOverflow(
                    UInt64(digit - UInt8(ascii: "0")))
                if isTooLarge || overflows { return nil }
                value = sum
            }
            return digits.isEmpty ? nil : value
        }
    }
}
