# Cgroups of the test run: everything below $E2E_CGROUP, in every hierarchy.
# shellcheck shell=bash

# Prints v1, hybrid or v2.
cgroup_version() {
    if [[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]]; then
        echo v2
    elif [[ $(stat -f -c %T /sys/fs/cgroup/unified 2>/dev/null) == cgroup2fs ]]; then
        echo hybrid
    else
        echo v1
    fi
}

# Prints the directories of the test run's cgroup that exist: one on v2, one per hierarchy
# on v1. Hierarchies mounted together are symlinks to one directory.
cgroup_dirs() {
    local root
    for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
        [[ ! -L $root && -d $root$E2E_CGROUP ]] && echo "$root$E2E_CGROUP"
    done
    return 0
}

# Kills what is left in the cgroups of the test run and removes them.
remove_test_cgroups() {
    [[ $E2E_CGROUP == /lxcfs-e2e-* ]] || return 1 # never sweep anything else
    local dir pid attempt
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        while read -r dir; do
            find "$dir" -name cgroup.procs -exec cat {} + 2>/dev/null |
                while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done
            find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
        done < <(cgroup_dirs)
        [[ -n $(cgroup_dirs) ]] || return 0
        sleep 0.1 # the kernel empties the cgroup of a dead process a little later
    done
    echo "cgroups left over (attempt $attempt): $(cgroup_dirs)" >&2
}

# make_limited_cgroup PATH BYTES [SWAP]: a cgroup with a memory limit, below $E2E_CGROUP, and
# with one on swap (in bytes, without the memory).
make_limited_cgroup() {
    [[ $1 == "$E2E_CGROUP"/* ]] || return 1
    local dir parent
    if [[ $(cgroup_version) != v2 ]]; then
        dir=/sys/fs/cgroup/memory$1
        mkdir -p "$dir"
        echo "$2" >"$dir/memory.limit_in_bytes"
        [[ -z ${3:-} ]] || echo $(($2 + $3)) >"$dir/memory.memsw.limit_in_bytes"
        return
    fi
    dir=/sys/fs/cgroup$1
    mkdir -p "$dir"
    # A controller reaches a cgroup when every one above passes it on.
    parent=/sys/fs/cgroup
    while [[ $parent != "$dir" ]]; do
        echo "+memory +cpu +cpuset +io +pids" >"$parent/cgroup.subtree_control"
        parent=$parent/$(cut -d / -f 1 <<<"${dir#"$parent"/}")
    done
    echo "$2" >"$dir/memory.max"
    [[ -z ${3:-} ]] || echo "$3" >"$dir/memory.swap.max"
}
