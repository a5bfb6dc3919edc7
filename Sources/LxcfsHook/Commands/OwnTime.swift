import Cgroups
import Glibc
import OCISpec
import Syscalls

/// Gives a container that is about to be created a time namespace whose boot is now.
struct OwnTime {
    let options: Options
    let wishes: ContainerWishes
    let runtime: RuntimeChoice
    let log: Log

    /// - Returns: whether `config` has been changed.
    func add(to config: inout Config) throws(PrecreateError) -> Bool {
        guard wishes.time ?? options.wantsTime else { return false }
        if let reason = TimeNamespace.objection(
            config, sharesPIDNamespace: NamespacePath.isOurs(.pid, config))
        {
            log.info("no time namespace: \(reason)")
            return false
        }
        let boottime = try Self.hostBoottime()
        for path in try runtime.all() {
            if let reason = RuntimeProgram(path: path).timeObjection {
                throw PrecreateError(reason)
            }
        }
        TimeNamespace(boottime: boottime).add(to: &config)
        return true
    }

    /// The host's clock since boot, also where we are in a time namespace ourselves: the kernel
    /// counts offsets from the host's clocks.
    private static func hostBoottime() throws(PrecreateError) -> UInt64 {
        do {
            let proc = try FileDescriptor.open("/proc", O_PATH | O_DIRECTORY)
            let namespaces = try TimeNamespaces(proc)
            guard namespaces.areSupported else {
                throw PrecreateError("the kernel has no time namespaces (Linux 5.6)")
            }
            let (time, overflow) = Int64(clamping: Clock.boottime())
                .subtractingReportingOverflow(namespaces.ownOffset)
            guard !overflow, time >= 0 else {
                throw PrecreateError("the clock since boot is out of range")
            }
            return UInt64(time)
        } catch let error as PrecreateError {
            throw error
        } catch {
            throw PrecreateError("\(error)")
        }
    }
}
