/// A command line as lxcfs takes it, for the parser of this program.
enum LxcfsArguments {
    /// lxcfs has short names for help and version; `-n` is the one that its help tells.
    private static let names = ["-v": "--version", "-n": "--help"]

    static func translated(_ arguments: some Sequence<String>) -> [String] {
        var isOption = true
        var isFirst = true
        return arguments.map { argument in
            // `-n` of `top` is another one.
            let isOther =
                isFirst && !argument.hasPrefix("-") && !argument.hasPrefix("/")
                && argument != "serve"
            if isOther || argument == "--" { isOption = false }
            isFirst = false
            return isOption ? names[argument] ?? argument : argument
        }
    }
}
