import Cgroups
import Control
import JSON

/// What is remembered of a registered container across the life of the daemon: one small
/// file each in `<runtime directory>/containers`, written as a whole or not at all.
struct ContainerState: Fields {
    /// The name of its directory, see ``ContainerKey``: for release 0.1.0 that is the id.
    var id = ""
    /// Its id, if that is another one.
    var name: String?
    var slot: UInt32 = 0
    var pid: Int32 = 0
    /// Nanoseconds since boot.
    var startTime: UInt64 = 0
    /// Nanoseconds; not in files from before the first release.
    var suspendedBefore: UInt64?
    /// Nanoseconds; absent of a container in the daemon's time namespace.
    var bootOffset: Int64?
    /// Whether the time namespace has been looked at. Absent in files of release 0.1.0, which does
    /// not.
    var knowsTime: Bool?
    var cpus = CPUView.quota
    /// By v1 controller.
    var legacyCgroups: [String: String] = [:]
    var unifiedCgroup: String?
    /// Which cgroup that is, see ``ContainerCgroups/id``. Absent in files of release 0.1.0, as is what
    /// follows.
    var cgroup: UInt64?
    /// The process that was named at the registration, where `pid` may be that of a pod.
    var process: Int32?
    /// When that process started, in nanoseconds since boot.
    var processStart: UInt64?
    /// The directory of its config.json, if a runtime has registered it.
    var bundle: String?

    init() {}

    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.required("id", &id)
        try fields.required("slot", &slot)
        try fields.required("pid", &pid)
        try fields.required("startTime", &startTime)
        try fields.optional("suspendedBefore", &suspendedBefore)
        try fields.optional("bootOffset", &bootOffset)
        try fields.optional("knowsTime", &knowsTime)
        try fields.required("cpus", &cpus)
        try fields.required("legacyCgroups", &legacyCgroups)
        try fields.optional("unifiedCgroup", &unifiedCgroup)
        try fields.optional("name", &name)
        try fields.optional("cgroup", &cgroup)
        try fields.optional("process", &process)
        try fields.optional("processStart", &processStart)
        try fields.optional("bundle", &bundle)
    }

    init(_ container: Container, key: String, _ origin: ContainerOrigin?) {
        id = key
        name = container.id == key ? nil : container.id
        slot = container.slot
        pid = container.pid
        startTime = container.startTime
        suspendedBefore = container.suspendedBefore
        bootOffset = container.bootOffset
        knowsTime = true
        cpus = container.cpuView
        legacyCgroups = Dictionary(
            uniqueKeysWithValues: container.cgroups.paths.legacy.map { ($0.rawValue, $1) })
        unifiedCgroup = container.cgroups.paths.unified
        cgroup = container.cgroups.id
        process = origin?.process
        processStart = origin?.startTime
        bundle = origin?.bundle
    }

    /// How it was registered; nil if release 0.1.0 has written this.
    var origin: ContainerOrigin? {
        guard let process, let processStart else { return nil }
        return ContainerOrigin(process: process, startTime: processStart, bundle: bundle)
    }

    var containerID: String { name ?? id }

    var cgroups: CgroupPaths {
        var legacy: [Controller: String] = [:]
        for (name, path) in legacyCgroups {
            if let controller = Controller(rawValue: name) { legacy[controller] = path }
        }
        return CgroupPaths(legacy: legacy, unified: unifiedCgroup)
    }
}
