import Glibc
import Syscalls

/// The command line of the runtime that has started this hook.
///
/// crun goes back into the host's mount namespace for the devices of a container with a user
/// namespace, and then says that the bundle is `/`. Its command line has the right one: engines
/// always give it there.
struct RuntimeArguments: Equatable {
    let words: [Substring]

    /// - Parameter commandLine: as `/proc/<pid>/cmdline` has it, each word ended by a zero byte.
    init(commandLine: [UInt8]) {
        words = String(decoding: commandLine, as: UTF8.self).split(
            separator: "\0", omittingEmptySubsequences: false)
    }

    /// The process that has started the hook. ``Watch`` has it found before the work is done in
    /// another process, whose parent is the hook.
    static let runtime = getppid()

    /// That of the parent process; nil if there is none.
    static func ofParent() -> RuntimeArguments? {
        let content = try? readFile("/proc/\(runtime)/cmdline", limit: 1 << 20)
        return content.map(RuntimeArguments.init)
    }

    /// The bundle that is named there, if it is absolute: the directory in which the runtime was
    /// started is not known.
    ///
    /// - Parameter id: of the container. A command line without it is not about this container.
    func bundle(of id: String) -> String? {
        guard words.dropFirst().contains(where: { $0 == id }) else { return nil }
        for (index, word) in words.enumerated() {
            let parts = word.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let option = parts.first, ["--bundle", "-bundle", "-b"].contains(option)
            else {
                continue
            }
            let value = parts.count > 1 ? parts[1] : words.dropFirst(index + 1).first
            if let value, value.hasPrefix("/") { return String(value) }
        }
        return nil
    }
}
