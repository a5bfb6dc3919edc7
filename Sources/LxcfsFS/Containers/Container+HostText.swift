import Syscalls

/// Files that a container is shown as the host has them.
extension Container {
    /// Appends a file of the host to `workspace.out`. The caller holds `lock`.
    ///
    /// - Parameter path: below `root`.
    func append(
        _ path: String, _ root: borrowing FileDescriptor, _ workspace: Workspace
    ) throws(SystemError) {
        let file = try root.open(at: path)
        workspace.out.append(try workspace.scratch.read(file.raw, path: path))
    }
}
