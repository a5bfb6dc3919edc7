/// Where a value of a text is. Entries lie one after the other: an object is followed by its
/// keys, each followed by its value.
struct JSONEntry {
    let kind: Kind
    /// Where it is in the text; of a string, what is between the quotes.
    let start: UInt32
    var end: UInt32
    /// The index of the entry after this value and all that is in it.
    var next: UInt32

    enum Kind: UInt8 {
        case object, array
        /// Without escapes.
        case plainString
        /// With escapes, all of which make sense.
        case escapedString
        case number, `true`, `false`, null
        /// Has the shape of a string or number only.
        case malformed
    }
}
