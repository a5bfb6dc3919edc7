import Cgroups
import Control
import JSON

/// What is remembered of a registered container across the life of the daemon: one small
/// file each in `<runtime directory>/containers`, written as a whole or not at all.
struct ContainerState: Fields {
    var id = ""
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
    }

    init(_ container: Container) {
        id = container.id
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
    }

    var cgroups: CgroupPaths {
        var legacy: [Controller: String] = [:]
        for (name, path) in legacyCgroups {
            if let controller = Controller(rawValue: name) { legacy[controller] = path }
        }
        return CgroupPaths(legacy: legacy, unified: unifiedCgroup)
    }
}
