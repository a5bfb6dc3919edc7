/// The command line, understood.
struct Arguments: Equatable, Sendable {
    var command: Command
    var options: Options

    /// - Parameter words: without the name of the program.
    init(_ words: [String]) throws(UsageError) {
        var parser = ArgumentParser(words: words[...])
        try parser.run()
        command = try parser.command()
        options = try parser.checkedOptions()
    }
}
