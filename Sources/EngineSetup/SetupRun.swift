import Glibc
import LxcfsHook
import Syscalls

/// Does what `install` or `uninstall` is asked for.
struct SetupRun {
    let request: SetupRequest
    private let root: Root
    private let engine: any EngineConfiguration
    private var writer: FileWriter

    init(_ request: SetupRequest) {
        self.request = request
        root = Root(request.root)
        engine = request.engine.configuration
        writer = FileWriter(root)
    }

    private var name: String { request.engine.rawValue }

    // MARK: - Install

    mutating func install() throws(SetupError) {
        try checkRoot()
        let plan = try engine.installation(request, root)
        let record = try SetupRecord.read(name, in: root)
        let changes = plan.changes.filter(\.isOne)
        for note in plan.notes { say("note: \(note)") }
        show(changes)
        if changes.isEmpty { return say("\(name): nothing to do, it is set up like this") }
        if request.isDryRun { return }
        let updated = try self.record(plan, since: record)
        try updated.write(name, &writer)
        for change in changes {
            guard let after = change.after else { continue }
            try writer.write(after, to: change.path)
            say("wrote \(root.path)\(change.path)")
        }
        try noteDirectories(updated)
        if plan.changes.contains(where: { $0.before != nil && $0.before != $0.after }) {
            say("as it was: in \(root.path)\(SetupRecord.directory(of: name))")
        }
        try restart()
    }

    private func checkRoot() throws(SetupError) {
        var status = stat()
        guard stat(request.root, &status) == 0 else {
            throw SetupError("\(SystemError("look at", request.root, errno: errno))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw SetupError("\(request.root) is not a directory")
        }
    }

    /// What is to be taken back later, after all that has been done.
    private func record(
        _ plan: SetupPlan, since old: SetupRecord?
    ) throws(SetupError) -> SetupRecord {
        var record = old ?? SetupRecord()
        for change in plan.changes {
            guard let index = record.files.firstIndex(where: { $0.path == change.path }) else {
                // What is there already is as it is wanted: also after this it stays.
                if !change.isOne { continue }
                record.files.append(
                    SetupRecord.File(
                        path: change.path, before: change.before, after: change.after))
                continue
            }
            let known = record.files[index]
            if change.before != known.after, change.before != known.before {
                // Somebody has changed it: that is to stay.
                record.files[index].before = try change.before.flatMap {
                    (current) throws(SetupError) in
                    try engine.withoutOurs(
                        current, path: root.path + change.path, original: known.before)
                }
            }
            record.files[index].after = change.after
        }
        return record
    }

    /// Which directories were made is known only afterwards.
    private mutating func noteDirectories(_ record: SetupRecord) throws(SetupError) {
        let made = writer.made.filter { !$0.hasPrefix("/var/lib") }
        guard made.contains(where: { !record.directories.contains($0) }) else { return }
        var record = record
        record.directories += made.filter { !record.directories.contains($0) }
        try record.write(name, &writer)
    }

    // MARK: - Uninstall

    mutating func uninstall() throws(SetupError) {
        try checkRoot()
        guard let record = try SetupRecord.read(name, in: root) else {
            return say("\(name): nothing to do, lxcfs-hook install has not been here")
        }
        var changes: [FileChange] = []
        for file in record.files {
            let current = try root.read(file.path)
            guard let current else {
                if file.before != nil { say("note: \(root.path)\(file.path) is gone already") }
                continue
            }
            var after = file.before
            if current != file.after, current != file.before {
                after = try engine.withoutOurs(
                    current, path: root.path + file.path, original: file.before)
                say("note: \(root.path)\(file.path) was changed since: only ours is taken out")
            }
            changes.append(FileChange(path: file.path, before: current, after: after))
        }
        changes = changes.filter(\.isOne)
        show(changes)
        if request.isDryRun { return }
        for change in changes {
            if let after = change.after {
                try writer.write(after, to: change.path)
                say("wrote \(root.path)\(change.path)")
            } else {
                try writer.remove(change.path)
                say("removed \(root.path)\(change.path)")
            }
        }
        for directory in record.directories.reversed() {
            // One in which something else is stays.
            if let place = try? root.place(of: directory) { rmdir(place) }
        }
        try SetupRecord.remove(name, in: root)
        if !changes.isEmpty { try restart() }
    }

    // MARK: - What is said

    private func show(_ changes: [FileChange]) {
        guard request.isDryRun else { return }
        for change in changes {
            let path = root.path + change.path
            let text = LineDifference(change.before, change.after).unified(
                change.before == nil ? nil : path, change.after == nil ? nil : path)
            print(text, terminator: "")
        }
    }

    private func say(_ text: String) { print(text) }

    // MARK: - Restart

    private func restart() throws(SetupError) {
        guard root.isThisMachine else { return }
        guard let (verb, unit) = engine.restart else { return say(engine.restartNote) }
        guard request.restarts else { return say("now: \(engine.restartNote)") }
        var status = stat()
        // What sd_booted(3) looks at.
        guard lstat("/run/systemd/system", &status) == 0 else {
            throw SetupError(
                "written, but not restarted: there is no systemd; have \(name) read it again")
        }
        let systemctl = ["/usr/bin/systemctl", "/bin/systemctl"].first { (path: String) in
            access(path, X_OK) == 0
        }
        guard let systemctl else {
            throw SetupError("written, but not restarted: there is no systemctl")
        }
        do {
            _ = try programOutput(systemctl, [verb, unit], limit: 1 << 16, timeout: 120_000)
        } catch {
            throw SetupError(
                "written, but not restarted: \(error); see systemctl status \(unit)")
        }
        say("systemctl \(verb) \(unit): done")
    }
}
