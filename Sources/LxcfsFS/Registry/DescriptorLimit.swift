import Glibc

/// How many descriptors this process may have (`RLIMIT_NOFILE`).
func descriptorLimit() -> Int {
    var limit = rlimit()
    // The least that any system grants, if it does not say.
    guard getrlimit(RLIMIT_NOFILE, &limit) == 0 else { return 256 }
    return Int(clamping: limit.rlim_cur)
}
