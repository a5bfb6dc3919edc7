import JSON

/// How many CPUs a container is shown.
public enum CPUView: String, FieldValue {
    /// min(CPUs of the cpuset, ceil(quota / period)).
    case quota
    /// The CPUs of the cpuset, whatever the quota.
    case cpuset
}
