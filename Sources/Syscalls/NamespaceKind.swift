/// A kind of namespace (namespaces(7)), as far as somebody here asks for it.
public enum NamespaceKind: UInt32, Sendable {
    case process = 1
    case mount
    case user
    case time
    /// The time namespace into which the next child is born. A process that has just made one does
    /// not live in it itself.
    case timeForChildren

    /// Its name in `/proc/<pid>/ns`.
    var fileName: String {
        switch self {
        case .process: "pid"
        case .mount: "mnt"
        case .user: "user"
        case .time: "time"
        case .timeForChildren: "time_for_children"
        }
    }
}
