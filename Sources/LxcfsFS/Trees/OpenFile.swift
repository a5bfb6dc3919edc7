import Glibc
import LxcfsHandover
import LxcfsPageCache
import Syscalls

/// An open file that shows one moment: its content is made when it is opened, and again when
/// a reader goes back to its start.
final class OpenFile: @unchecked Sendable {
    let node: NodeID
    /// Whose numbers it shows, see ``Container/identity``.
    let identity: UInt64
    /// How many threads work for the container that has opened it; nil for a file that an earlier
    /// worker has opened.
    let gate: RequestGate?
    /// nil for a file that an earlier worker has opened.
    private var container: Container?
    let payer: Payer
    private let lock = Lock()
    private(set) var snapshot: Snapshot
    private var begun = false
    private var trigger: PressureTrigger?

    init(
        _ container: Container, _ node: NodeID, for payer: Payer, _ recent: RecentContents,
        _ host: Host, _ workspace: Workspace
    ) throws(SystemError) {
        self.container = container
        gate = container.gate
        self.node = node
        self.payer = payer
        identity = container.identity
        snapshot = try recent.content(
            of: node, container.identity, for: payer, now: host.now()
        ) { () throws(SystemError) in
            try container.snapshot(of: node, host, workspace)
        }
    }

    /// A file that an earlier worker has opened.
    init(_ stored: OpenFileTable.Stored) {
        gate = nil
        node = stored.node
        snapshot = stored.snapshot
        identity = stored.identity
        begun = stored.begun
        payer = stored.payer
    }

    /// Of a pressure file that is open for writing, as far as this worker knows it.
    var pressureTrigger: PressureTrigger? {
        get { lock.withLock { trigger } }
        set { lock.withLock { trigger = newValue } }
    }

    /// The content for a read at `offset`.
    ///
    /// - Parameters:
    ///   - table: keeps what the next worker has to know.
    ///   - find: the container, should it not be known.
    ///   - remake: makes a new content, and keeps it.
    func content(
        at offset: Int, _ handle: UInt64, _ table: OpenFileTable, _ workspace: Workspace,
        find: () throws(SystemError) -> Container,
        remake: (Container) throws(SystemError) -> Snapshot
    ) throws(SystemError) -> Snapshot {
        lock.lock()
        defer { lock.unlock() }
        if offset == 0, begun,
            !workspace.isReplaying || !table.isFor(workspace.request, handle)
        {
            if container == nil {
                // The reader may be another container than the one that has opened the file: then
                // the content stays.
                guard let found = try? find(), found.identity == identity else {
                    return snapshot
                }
                container = found
            }
            if let container { snapshot = try remake(container) }
        }
        if !begun { table.noteBegun(handle, by: workspace.request) }
        begun = true
        return snapshot
    }
}
