import LxcfsHandover

/// A name in a directory of a tree.
struct TreeEntry {
    let name: String
    let node: NodeID
    let kind: NodeKind
}
