# What the benchmarks share: surroundings of their own, cgroups, and small helpers.
#
# The caller has set `here`, `repo`, and runs in a mount namespace of its own.

# --- Surroundings. ---

export E2E_CGROUP=/lxcfs-e2e-bench-$$
# shellcheck source=Tests/e2e/cgroups.bash
source "$repo/Tests/e2e/cgroups.bash"

namespace=$(readlink /proc/self/ns/mnt)
[[ ${E2E_ISOLATED:-} == 1 ]] || mount -t tmpfs -o mode=755 tmpfs /run
work=/run/bench
mkdir -p "$work"

pids=()
clean_up() {
    local pid process
    for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    # Whoever else is in this mount namespace was started from here.
    if [[ ${E2E_ISOLATED:-} != 1 ]]; then
        for process in /proc/[0-9]*; do
            if [[ ${process#/proc/} != "$$" &&
                $(readlink "$process/ns/mnt" 2>/dev/null) == "$namespace" ]]; then
                kill -KILL "${process#/proc/}" 2>/dev/null || true
            fi
        done
    fi
    remove_test_cgroups || true
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

log() { echo "bench: $*" >&2; }
fail() { log "$*" && exit 1; }

compile() {
    if command -v gcc >/dev/null; then
        gcc -O2 -pthread -o "$work/$1" "$here/$1.c"
    else
        cp "$here/$1" "$work/$1" # in the virtual machine, brought along
    fi
}
# Directories of the cgroup that stands for the container, one per hierarchy.
hierarchies() {
    if [[ $(cgroup_version) == v2 ]]; then
        echo /sys/fs/cgroup
    else
        local root
        for root in memory cpu cpuacct cpuset blkio pids hugetlb; do
            [[ -d /sys/fs/cgroup/$root && ! -L /sys/fs/cgroup/$root ]] &&
                echo "/sys/fs/cgroup/$root"
        done
        return 0
    fi
}

# make_cgroup PATH BYTES: with a memory limit, and a quota that nobody reaches.
make_cgroup() {
    local root dir quota=$(($(nproc) * 200000))
    if [[ $(cgroup_version) == v2 ]]; then
        make_limited_cgroup "$1" "$2"
        echo "$quota 100000" >"/sys/fs/cgroup$1/cpu.max"
        return
    fi
    for root in $(hierarchies); do
        dir=$root$1
        mkdir -p "$dir"
        case $root in
        */memory) echo "$2" >"$dir/memory.limit_in_bytes" ;;
        */cpu) echo "$quota" >"$dir/cpu.cfs_quota_us" ;;
        */cpuset)
            local part="$root" name
            for name in ${1//\// }; do
                part+=/$name
                cat "${part%/*}/cpuset.cpus" >"$part/cpuset.cpus"
                cat "${part%/*}/cpuset.mems" >"$part/cpuset.mems"
            done
            ;;
        esac
    done
}

# in_cgroup PATH COMMAND...
in_cgroup() {
    local root path=$1
    for root in $(hierarchies); do echo "$BASHPID" >"$root$path/cgroup.procs"; done
    shift
    exec "$@"
}

# mount_file NAME FILE: over a file of its own in $work/view, as the hook does it in a container.
mount_file() {
    local target=$work/view/$1
    mkdir -p "${target%/*}"
    touch "$target"
    mount --bind "$2" "$target"
}

wait_for() {
    local deadline=$((SECONDS + $1 * ${E2E_PATIENCE:-1}))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || fail "timed out: $*"
        sleep 0.05
    done
}

stop() {
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
    umount -l "$2" 2>/dev/null || true
}

# median FILE COLUMN: of the lines on stdin.
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
