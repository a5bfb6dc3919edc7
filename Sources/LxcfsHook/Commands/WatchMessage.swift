import Syscalls

/// What a watched process says to the one that watches it.
enum WatchMessage: Equatable {
    case log(LogLevel, String)
    /// What it does next, and the container that it does it for, once that is known.
    case step(Step, container: String?)
    /// A part of what is to be written to standard output.
    case output([UInt8])
    case end(ExitCode)

    /// Bytes of output in one message.
    static let partSize = 8192

    private static let kinds: [Step] = [
        .reading, .deciding, .registering, .preparing, .unregistering,
    ]

    var bytes: [UInt8] {
        switch self {
        case .log(let level, let text):
            let number = LogLevel.allCases.firstIndex(of: level) ?? 0
            return [UInt8(ascii: "L"), UInt8(number)] + text.utf8
        case .step(.mounting(let files), let container):
            let devices = files.devices.map { "\($0.major):\($0.minor)" }
            let words = [
                "\(files.pid) \(files.namespace)", devices.joined(separator: ","),
                container ?? "",
            ]
            return [UInt8(ascii: "M")]
                + (words.joined(separator: "\0") + "\0" + files.rootfs).utf8
        case .step(let step, let container):
            let number = Self.kinds.firstIndex(of: step) ?? 0
            return [UInt8(ascii: "S"), UInt8(number)] + (container ?? "").utf8
        case .output(let part): return [UInt8(ascii: "O")] + part
        case .end(let code): return [UInt8(ascii: "E"), UInt8(clamping: code.rawValue)]
        }
    }

    /// - Returns: nil if it is none.
    init?(_ bytes: [UInt8]) {
        let rest = bytes.dropFirst(2)
        switch (bytes.first, bytes.dropFirst().first) {
        case (UInt8(ascii: "L"), let number?) where number < LogLevel.allCases.count:
            self = .log(LogLevel.allCases[Int(number)], String(decoding: rest, as: UTF8.self))
        case (UInt8(ascii: "M"), _):
            let words = bytes.dropFirst().split(
                separator: 0, maxSplits: 3, omittingEmptySubsequences: false
            ).map { String(decoding: $0, as: UTF8.self) }
            let numbers = words[0].split(separator: " ")
            guard words.count == 4, numbers.count == 2, let pid = Int32(numbers[0]),
                let namespace = UInt64(numbers[1])
            else { return nil }
            let devices = words[1].split(separator: ",").compactMap(Self.device)
            self = .step(
                .mounting(
                    MountedFiles(
                        pid: pid, namespace: namespace, rootfs: words[3], devices: devices)),
                container: words[2].isEmpty ? nil : words[2])
        case (UInt8(ascii: "S"), let number?) where number < Self.kinds.count:
            let container = String(decoding: rest, as: UTF8.self)
            self = .step(
                Self.kinds[Int(number)], container: container.isEmpty ? nil : container)
        case (UInt8(ascii: "O"), _): self = .output(Array(bytes.dropFirst()))
        case (UInt8(ascii: "E"), let number?):
            guard let code = ExitCode(rawValue: Int32(number)) else { return nil }
            self = .end(code)
        default: return nil
        }
    }

    private static func device(_ text: Substring) -> DeviceNumber? {
        let numbers = text.split(separator: ":").compactMap { UInt32($0) }
        return numbers.count == 2 ? DeviceNumber(major: numbers[0], minor: numbers[1]) : nil
    }
}
