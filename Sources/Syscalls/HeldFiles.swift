import CLinux
import Glibc

/// Files that are open for nothing but to be open.
public enum HeldFiles {
    /// Opens the regular files below a directory, those in directories called `pressure` also for
    /// writing; they stay open as long as this process lives.
    ///
    /// - Parameter limit: how many at most.
    /// - Returns: how many. What cannot be opened is left out.
    public static func open(below path: String, limit: Int32) throws(SystemError) -> Int32 {
        try check(clinux_hold_files(path, limit), "open the files below", path)
    }

    /// Whether these flags of open(2) are those with which such files are opened. Anybody may
    /// use them.
    public static func isWish(_ flags: Int32) -> Bool {
        flags & CLINUX_HOLDING == CLINUX_HOLDING
    }
}
