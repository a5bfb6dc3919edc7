import CLinux
import Glibc
import Syscalls

/// What must survive a worker: memory that the keeper holds and every worker maps.
///
/// All that is in it is written so that a worker may be killed between any two instructions:
/// what says that something is valid is stored last.
///
///     header | INIT of each connection | announcements | open files | system calls | requests
package final class HandoverMemory: @unchecked Sendable {
    /// To be changed with the layout, or that of ``NodeID``: memory of another version is not understood.
    package static let version: UInt32 = 3

    private let base: UnsafeMutableRawPointer
    /// Per connection.
    package let threads: Int

    private enum Offset {
        package static let version = 0
        package static let passThrough = 4
        package static let nextSlot = 8
        package static let callersOnTop = 12
        package static let life = 16
        package static let threads = 32
        package static let coherence = 36
        package static let madeDirectory = 40
        package static let worker = 44
        package static let deaths = 48
        package static let upgrades = 56
        package static let initial = 4096
        package static let requests = Region.agent.end
    }

    /// The parts whose content is up to other rooms. Where they lie is part of the contract between
    /// versions.
    package enum Region: CaseIterable, Sendable {
        /// ``Suspects``.
        case suspects
        /// Contents that the kernel is just being told of.
        case pushes
        /// Contents that the kernel has been told of last.
        case announcements
        /// Files that are open as snapshots.
        case openFiles
        /// System calls that are being answered.
        case agent

        package var offset: Int {
            switch self {
            case .suspects: 1024
            case .pushes: 3072
            case .announcements: 16384
            case .openFiles: 1_085_440
            case .agent: 69_242_880
            }
        }

        /// In bytes.
        package var size: Int {
            switch self {
            case .suspects: 2048
            case .pushes: 1024
            case .announcements: 1_069_056
            case .openFiles: 68_157_440
            case .agent: 16384
            }
        }

        package var end: Int { offset + size }
    }

    /// - Parameter threads: per connection.
    package static func size(threads: Int) -> Int {
        Offset.requests + FUSEConnection.allCases.count * threads * PendingRequest.room
    }

    package static func make(_ options: DaemonOptions) throws(SystemError) -> FileDescriptor {
        let memory = try SharedMemory.make("lxcfsd", size: size(threads: options.threads))
        let base = try SharedMemory.map(memory, size: Offset.initial)
        clinux_store32(base + Offset.threads, UInt32(options.threads))
        clinux_store32(base + Offset.coherence, UInt32(options.coherence))
        clinux_store32(base + Offset.version, version)
        munmap(base, Offset.initial)
        return memory
    }

    /// - Throws: `SystemError`; `DaemonError` if the memory is that of another version.
    package init(_ memory: borrowing FileDescriptor) throws {
        let header = try SharedMemory.map(memory, size: Offset.initial)
        let version = clinux_load32(header + Offset.version)
        let threads = Int(clinux_load32(header + Offset.threads))
        munmap(header, Offset.initial)
        guard version == Self.version, (1...1024).contains(threads) else {
            throw DaemonError("the shared memory is that of another version: \(version)")
        }
        self.threads = threads
        base = try SharedMemory.map(memory, size: Self.size(threads: threads))
    }

    // MARK: - Header

    /// Containers are shown the host (SIGUSR2).
    package var passesThrough: Bool {
        get { clinux_load32(base + Offset.passThrough) != 0 }
        set { clinux_store32(base + Offset.passThrough, newValue ? 1 : 0) }
    }

    /// What is mounted on the mountpoint is the connection that knows opens, and that of the
    /// containers is on ``RuntimeDirectory/tree``. Otherwise the latter is on the mountpoint, as
    /// it was in release 0.1.0.
    package var hasCallersOnTop: Bool {
        get { clinux_load32(base + Offset.callersOnTop) != 0 }
        set { clinux_store32(base + Offset.callersOnTop, newValue ? 1 : 0) }
    }

    /// The mountpoint has been made by us.
    package var madeDirectory: Bool {
        get { clinux_load32(base + Offset.madeDirectory) != 0 }
        set { clinux_store32(base + Offset.madeDirectory, newValue ? 1 : 0) }
    }

    /// Options that have been chosen with the connections and cannot be changed any more.
    package func bind(_ options: inout DaemonOptions) {
        options.threads = threads
        let coherence = Int(clinux_load32(base + Offset.coherence))
        // The kernel opens files without asking, or not.
        if (coherence == 0) != (options.coherence == 0) { options.coherence = coherence }
    }

    /// Where the number of the next container is kept: the kernel remembers node ids of
    /// containers that are gone.
    package var nextSlot: UInt32 {
        get { clinux_load32(base + Offset.nextSlot) }
        set { clinux_store32(base + Offset.nextSlot, newValue) }
    }

    /// The worker that serves, or did last.
    package var servingPID: pid_t {
        get { pid_t(bitPattern: clinux_load32(base + Offset.worker)) }
        set { clinux_store32(base + Offset.worker, UInt32(bitPattern: newValue)) }
    }

    /// Counts a worker.
    ///
    /// - Returns: how many there have been, this one included.
    package func beginLife() -> UInt64 { clinux_add64(base + Offset.life, 1) + 1 }

    /// How many workers have ended while they served, though nobody had told them to. The keeper
    /// counts; one of release 0.1.0 does not.
    package var deaths: UInt64 { clinux_load64(base + Offset.deaths) }
    package func countDeath() { _ = clinux_add64(base + Offset.deaths, 1) }

    /// How many upgrades have gone well, as the keeper counts them.
    package var upgrades: UInt64 { clinux_load64(base + Offset.upgrades) }
    package func countUpgrade() { _ = clinux_add64(base + Offset.upgrades, 1) }

    // MARK: - Parts

    package func initial(_ connection: FUSEConnection) -> InitialExchange {
        InitialExchange(base + Offset.initial + connection.rawValue * InitialExchange.size)
    }

    /// The start of a part.
    package func start(of region: Region) -> UnsafeMutableRawPointer { base + region.offset }

    /// Takes over a part of another memory that nobody uses any more.
    package func copy(_ region: Region, from other: HandoverMemory) {
        memcpy(start(of: region), other.start(of: region), region.size)
    }

    /// Where thread number `thread` receives requests. A request stays there until it is
    /// answered, so that the next worker finds it.
    package func request(_ connection: FUSEConnection, _ thread: Int) -> PendingRequest {
        let index = connection.rawValue * threads + thread
        return PendingRequest(base + Offset.requests + index * PendingRequest.room)
    }

    package func requests(_ connection: FUSEConnection) -> [PendingRequest] {
        (0..<threads).map { request(connection, $0) }
    }

    package var suspects: Suspects { Suspects(start(of: .suspects)) }
}
