import Glibc
import LxcfsHandover

/// The name of a container's directory in the tree, and of its state file.
///
/// It is the id where that can be a file name and no other container has it. Ids are only unique
/// for one runtime and one of its roots, and runtimes take nearly all characters.
enum ContainerKey {
    /// Names in the tree that other things have.
    static let reserved: Set<String> = ["", ".", "..", "proc", "sys", TreeNames.opens]

    /// Bytes. A state file has `.json` behind it, and a dot before it while it is written.
    static let sizeLimit = Int(NAME_MAX) - ".json".utf8.count - 1

    /// Why `id` is no container's; nil if it may be. No runtime makes such containers, but crun some
    /// with line feeds in their ids.
    static func objection(toID id: String) -> String? {
        if id.isEmpty { return "the container id is empty" }
        if id.utf8.count > Int(NAME_MAX) {
            return "the container id is longer than \(NAME_MAX) bytes"
        }
        if id.utf8.contains(UInt8(ascii: "/")) { return "the container id has a slash" }
        return nil
    }

    /// A name for `id` that `isTaken` does not know: the id itself, or as much of it as can be,
    /// with `%` and two digits for what cannot, and `~2`, `~3`, and so on behind it. Neither of
    /// these two characters stays as it is in an id.
    static func make(for id: String, isTaken: (String) -> Bool) -> String {
        let name = encoded(id)
        var number = 1
        while true {
            let suffix = number == 1 ? "" : "~\(number)"
            let key = name.prefix(sizeLimit - suffix.utf8.count) + suffix
            if !isTaken(String(key)) { return String(key) }
            number += 1
        }
    }

    /// ASCII alone, so that it can be cut anywhere.
    private static func encoded(_ id: String) -> String {
        let isReserved = reserved.contains(id)
        var name = id.isEmpty ? "%" : ""
        for (index, byte) in id.utf8.enumerated() {
            // A name that begins with a dot is one that is being written.
            let stays =
                isOrdinary(byte) && !(index == 0 && (isReserved || byte == UInt8(ascii: ".")))
            if stays {
                name.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                name += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return name
    }

    private static func isOrdinary(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || "_+-.:@".utf8.contains(byte)
    }
}
