/// The command line.
public struct Arguments: Equatable, Sendable {
    public var command: Command
    public var options: Options

    /// - Parameter words: without the name of the program.
    public init(_ words: [String]) throws(UsageError) {
        var parser = ArgumentParser(words: words[...])
        try parser.run()
        command = try parser.command()
        options = try parser.checkedOptions()
    }
}
