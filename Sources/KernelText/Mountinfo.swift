/// The mounts of a mount namespace as `/proc/<pid>/mountinfo` lists them (proc_pid_mountinfo(5)).
///
/// The text may come from a container's namespace: a container chooses the paths in it and how
/// many lines there are. A line that is not of the kernel's form is passed over.
public struct Mountinfo: Sequence, IteratorProtocol {
    private var lines: Scanner

    public init(_ text: Bytes) { lines = Scanner(text) }

    /// The next mount, in the order of the file: of several at one place the last covers those
    /// before.
    public mutating func next() -> Mount? {
        while let line = lines.line() {
            if let mount = Mount(line) { return mount }
        }
        return nil
    }

    /// One line:
    ///
    ///     36 35 98:0 /root /mount/point options [optional...] - type source super-options
    public struct Mount {
        public let id: UInt64
        /// The mount that this one is mounted on.
        public let parent: UInt64
        /// `major:minor`.
        public let device: Bytes
        /// What of the filesystem is mounted, escaped, see ``Mountinfo/unescaped(_:)``.
        public let root: Bytes
        /// Relative to the root of the process, escaped.
        public let point: Bytes
        /// From the mount's options on; only looked at when it is asked for.
        private let rest: Bytes

        /// - Returns: nil if the line is not of the kernel's form.
        public init?(_ line: Bytes) {
            var words = Fields(line)
            guard let id = words.next().flatMap(Self.number),
                let parent = words.next().flatMap(Self.number),
                let device = words.next(), let root = words.next(), let point = words.next()
            else { return nil }
            self.id = id
            self.parent = parent
            self.device = device
            self.root = root
            self.point = point
            rest = line.part(words.position..<line.count)
        }

        /// The number at the start of a line, for a search through many lines.
        public static func id(ofLine line: Bytes) -> UInt64? {
            var words = Fields(line)
            return words.next().flatMap(number)
        }

        /// The type of the filesystem, what it is made of (escaped), and the options of its
        /// superblock; nil if the line ends before them.
        public var filesystem: (type: Bytes, source: Bytes, options: Bytes)? {
            var words = Fields(rest)
            guard words.next() != nil else { return nil }
            while let word = words.next() {
                guard word.equals("-") else { continue }
                guard let type = words.next(), let source = words.next() else { return nil }
                return (type, source, words.next() ?? Bytes(start: nil, count: 0))
            }
            return nil
        }

        /// Whether it is a FUSE mount, of whatever subtype.
        public var isFUSE: Bool {
            guard let type = filesystem?.type else { return false }
            return type.equals("fuse") || type.equals("fuseblk") || type.starts(with: "fuse.")
        }

        /// What is mounted below it also appears below all mounts of this group, in whatever
        /// namespace (mount_namespaces(7)); nil if it is not shared.
        public var peerGroup: UInt64? {
            var words = Fields(rest)
            _ = words.next()
            while let word = words.next(), !word.equals("-") {
                if word.starts(with: "shared:") {
                    return Self.number(word.part("shared:".utf8.count..<word.count))
                }
            }
            return nil
        }

        /// All of `digits` as a number; nil if that is not one, or does not fit.
        private static func number(_ digits: Bytes) -> UInt64? {
            guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            var value: UInt64 = 0
            for digit in digits {
                let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflows) = product.addingReportingOverflow(UInt64(digit - 48))
                if isTooLarge || overflows { return nil }
                value = sum
            }
            return value
        }
    }

    /// The fields of a line. Only spaces separate them: of white space in paths the kernel
    /// escapes no more than space, tab and newline, so that a container may have a mount point
    /// with a carriage return in its name.
    private struct Fields {
        let text: Bytes
        var position = 0

        init(_ text: Bytes) { self.text = text }

        mutating func next() -> Bytes? {
            while position < text.count, text[position] == space { position += 1 }
            if position >= text.count { return nil }
            let start = position
            position = text.firstIndex(of: space, from: start)
            return text.part(start..<position)
        }
    }

    /// A path as the kernel writes it here: white space and backslashes as octal numbers.
    public static func escaped(_ path: String) -> [UInt8] {
        path.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x20: Array("\\040".utf8)
            case 0x09: Array("\\011".utf8)
            case 0x0A: Array("\\012".utf8)
            case 0x5C: Array("\\134".utf8)
            default: [byte]
            }
        }
    }

    /// Undoes ``escaped(_:)``, for any octal number of three digits.
    public static func unescaped(_ text: Bytes) -> String {
        var out: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "\\"), index + 3 < text.count,
                case let digits = text.part(index + 1..<index + 4).map({ Int($0) - 48 }),
                digits.allSatisfy((0...7).contains),
                case let value = digits[0] * 64 + digits[1] * 8 + digits[2], value <= 255
            {
                out.append(UInt8(value))
                index += 4
            } else {
                out.append(text[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
