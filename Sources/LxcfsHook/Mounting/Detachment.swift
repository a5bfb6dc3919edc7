import Syscalls

/// Takes virtual files away from a container, whether their server lives or not.
enum Detachment {
    /// What became of one file.
    struct Result {
        let target: Target
        /// How many mounts were taken away.
        let mounts: Int
        let failure: String?
    }

    /// - Parameters:
    ///   - rootfs: the container's root in its mount namespace.
    ///   - devices: the superblocks whose mounts are taken away; nil for all of FUSE.
    ///   - mounts: the ids of those that are taken away, of the ones above; nil for all.
    static func run(
        _ files: [VirtualFile], process: ContainerProcess, rootfs: String = "/",
        devices: [DeviceNumber]? = nil, mounts: Set<UInt64>? = nil
    ) throws(AttachError) -> [Result] {
        var targets = files.targets { BlockDevices().targets }
        if files.contains(.cpu) { targets.append(.cpuOnline) }
        return try process.inside { () throws(AttachError) in
            let places = try MountPlaces(rootfs: rootfs, process: process)
            return targets.map { detach($0, places: places, devices, mounts) }
        }
    }

    private static func detach(
        _ target: Target, places: MountPlaces, _ devices: [DeviceNumber]?,
        _ mounts: Set<UInt64>?
    ) -> Result {
        var count = 0
        do {
            while let place = try places.place(of: target),
                place.state == .fuse, devices?.contains(place.identity.device) ?? true,
                mounts?.contains(place.identity.mountID) ?? true
            {
                // A container that mounts as fast as the hook unmounts must not keep it here.
                guard count < MountTable.stackLimit else {
                    throw AttachError.refused(
                        "more than \(MountTable.stackLimit) mounts lie on it")
                }
                try places.unmount(place, of: target)
                count += 1
            }
        } catch {
            // Also of a container without /proc or /sys, where there was nothing to take away:
            // the caller looks at the number of mounts.
            return Result(target: target, mounts: count, failure: "\(error)")
        }
        return Result(target: target, mounts: count, failure: nil)
    }
}
