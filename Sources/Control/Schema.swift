/// The form of what `lxcfsd list --json` and `status --json` print (docs/operations.md).
///
/// It is raised when a key that scripts may use goes, or means something else, or has another type
/// or unit. Keys may be added without that.
public enum Schema {
    public static let current = 1
}
