/// The controllers that matter here, by their names in `/proc/<pid>/cgroup`.
///
/// cgroup v2 calls `blkio` `io`, and has `cpuacct` in `cpu`.
public enum Controller: String, CaseIterable, Sendable {
    case memory, cpu, cpuacct, cpuset, blkio, pids, hugetlb, freezer
}
