import Control
import Glibc
import JSON
import KernelText
import Logging
import LxcfsHandover
import Syscalls

/// Where a ``StateStore`` has states held as long as there is no room for their files.
protocol StateHolder {
    func hold(_ state: String, name: String) throws
    func forget(name: String) throws
}

/// Has the keeper hold them, so that the next worker knows them.
struct KeeperHolder: StateHolder {
    let link: WorkerEnd

    func hold(_ state: String, name: String) throws {
        // What is kept is a descriptor; the state is what is said of it.
        try link.keep(try EventDescriptor.make(), name: name, payload: state)
    }

    func forget(name: String) throws { try link.forget(name: name) }
}

/// The states of all containers: their files, and those that could not be written. Only used on the
/// main thread.
///
/// When the runtime directory is full, a container is registered all the same. Its state is then
/// kept by the keeper, and written as soon as that succeeds.
final class StateStore {
    private let directory: StateDirectory
    private let holder: any StateHolder
    private let log: Logger

    private struct Unwritten {
        let state: ContainerState
        /// Stands for the inode of its file.
        var inode: UInt64 {
            var hash = FNV1a()
            hash.add(encodeLine(state))
            return hash.value | 1 << 63
        }
    }
    /// By the keys of the containers.
    private var unwritten: [String: Unwritten] = [:]
    /// The containers of all files that have been read, by the names of the files.
    private var slots: [String: UInt32] = [:]

    /// When to call ``retry(now:)`` next, on the monotonic clock; nil if everything is written.
    private(set) var nextTry: UInt64?

    /// How many states are not in files.
    var unwrittenCount: Int { unwritten.count }

    /// Nanoseconds between two tries.
    private static let pause: UInt64 = 1_000_000_000

    init(_ directory: StateDirectory, _ holder: any StateHolder, log: Logger) {
        self.directory = directory
        self.holder = holder
        self.log = log
    }

    func sweep() throws(SystemError) { try directory.sweep() }

    // MARK: - Writing

    /// Writes the state of one container atomically, or sees to it that it is not lost and is
    /// written later.
    func write(_ state: ContainerState) {
        do {
            try directory.write(state)
            forget(state.id)
        } catch {
            log.warning("the state of \(state.id) is not written, and tried again: \(error)")
            hold(state)
            nextTry = nextTry ?? Clock.monotonic() + Self.pause
        }
    }

    private func hold(_ state: ContainerState) {
        unwritten[state.id] = Unwritten(state: state)
        do {
            try holder.hold(
                String(decoding: encodeLine(state), as: UTF8.self),
                name: Self.prefix + state.id)
        } catch {
            log.error(
                "\(state.id) is not known to the next worker before it is written: \(error)")
        }
    }

    /// Tries once more to write what is not written.
    func retry(now: UInt64) {
        guard let due = nextTry, due <= now else { return }
        for (id, item) in unwritten.sorted(by: { $0.key < $1.key }) {
            do throws(SystemError) {
                try directory.write(item.state)
            } catch {
                // What fails for one fails for all.
                log.debug("\(error)")
                nextTry = now + Self.pause
                return
            }
            forget(id)
            log.notice("the state of \(id) is written now")
        }
        nextTry = nil
    }

    /// Removes the state of one container; it is no error if there is none.
    ///
    /// - Parameter key: see ``ContainerKey``.
    func remove(key: String) throws(SystemError) {
        forget(key)
        try directory.remove(key: key)
    }

    /// Removes a file that is no container's any more.
    ///
    /// - Parameter name: as ``StateDirectory/Content/present`` has it.
    func remove(file name: String) throws(SystemError) {
        for key in unwritten.keys where StateDirectory.file(of: key) == name { forget(key) }
        try directory.remove(file: name)
    }

    private func forget(_ id: String) {
        guard unwritten.removeValue(forKey: id) != nil else { return }
        if unwritten.isEmpty { nextTry = nil }
        do {
            try holder.forget(name: Self.prefix + id)
        } catch {
            log.warning("the keeper goes on holding the state of \(id): \(error)")
        }
    }

    // MARK: - What a former worker has left

    private static let prefix = "state:"

    /// Whether what is kept under this name is a state.
    static func isState(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// Takes up a state that a former worker could not write.
    func adopt(_ kept: consuming NamedDescriptor) {
        let name = kept.name
        do {
            let state = try ContainerState(
                JSONText(Array(kept.payload.utf8), keepsUnknown: false).root)
            guard name == Self.prefix + state.id else {
                throw SystemError("take up", name, errno: EINVAL)
            }
            unwritten[state.id] = Unwritten(state: state)
            nextTry = nextTry ?? Clock.monotonic()
        } catch {
            log.warning("ignored: \(name): \(error)")
        }
    }

    /// The former worker has written it, or the container is gone.
    func abandon(name: String) {
        unwritten[String(name.dropFirst(Self.prefix.count))] = nil
        if unwritten.isEmpty { nextTry = nil }
    }

    /// As ``StateDirectory/read(except:)``, with what is not in files as if it were.
    func read(
        except known: [String: UInt64] = [:]
    ) throws(SystemError) -> StateDirectory.Content {
        var content = try directory.read(except: known)
        slots = slots.filter { content.present[$0.key] != nil }
        for (state, name) in content.states { slots[name] = state.slot }
        for (id, item) in unwritten {
            let name = StateDirectory.file(of: id)
            // Its file has been written, and it was not forgotten any more; or that of the next
            // container of this name.
            if content.present[name] != nil, slots[name] ?? 0 >= item.state.slot { continue }
            content.states.removeAll { $0.1 == name }
            content.present[name] = item.inode
            if known[name] != item.inode { content.states.append((item.state, name)) }
        }
        return content
    }
}
