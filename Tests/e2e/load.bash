# Loads for containers, and what the kernel says of them.
# shellcheck shell=bash

# cgroup_file NAME V2-FILE V1-CONTROLLER V1-FILE: the path of a file of the container's cgroup.
cgroup_file() {
    if [[ $(cgroup_version) == v2 ]]; then
        echo "/sys/fs/cgroup$E2E_CGROUP/$1/$2"
    else
        echo "/sys/fs/cgroup/$3$E2E_CGROUP/$1/$4"
    fi
}

# kernel_memory NAME V2-KEY V1-KEY: a number of memory.stat in kB; 0 without such a key.
kernel_memory() {
    local key=$2
    [[ $(cgroup_version) == v2 ]] || key=$3
    awk -v key="$key" '$1 == key { kb = $2 / 1024 } END { print int(kb) }' \
        "$(cgroup_file "$1" memory.stat memory memory.stat)"
}

# kernel_usage NAME: in kB.
kernel_usage() {
    echo $(($(cat "$(cgroup_file "$1" memory.current memory memory.usage_in_bytes)") / 1024))
}

# kernel_swap NAME: in kB.
kernel_swap() {
    if [[ $(cgroup_version) == v2 ]]; then
        echo $(($(cat "$(cgroup_file "$1" memory.swap.current - -)") / 1024))
    else
        kernel_memory "$1" - total_swap
    fi
}

# kernel_cpu NAME: CPU time in ticks of 10 ms.
kernel_cpu() {
    awk '/^(user|system)_usec / { ticks += $2 / 10000 } /^(user|system) / { ticks += $2 }
        END { print int(ticks) }' "$(cgroup_file "$1" cpu.stat cpuacct cpuacct.stat)"
}

# look NAME FILE...: files as the container has them, all by one program.
look() {
    nsenter --mount --target "$(container_pid "$1")" /bin/cat "${@:2}"
}

# meminfo_of NAME FIELD: in kB, read just now.
meminfo_of() { look "$1" /proc/meminfo | awk -v name="$2:" '$1 == name { print $2 }'; }

# busy_of NAME: user and system time of all CPUs, as the container's /proc/stat says.
busy_of() { look "$1" /proc/stat | awk '$1 == "cpu" { print $2 + $4 }'; }

# counters NAME: "cpu0.user 12" and so on of all CPUs, and the idle time of uptime. From the
# daemon's own tree: mounts die with a daemon that is killed.
counters() {
    local tree=$WORK/lxcfs/$1/proc
    sleep 0.02 # the window
    awk '/^cpu/ { print $1 ".user", $2; print $1 ".system", $4; print $1 ".idle", $5 }' \
        "$tree/stat"
    awk '{ print "uptime", $1 * 100; print "idle", $2 * 100 }' "$tree/uptime"
}

# not_backwards BEFORE AFTER: a CPU that is not there any more has no counters.
not_backwards() {
    awk 'NR == FNR { before[$1] = $2; next }
        $1 in before && $2 < before[$1] { print $1, before[$1], "then", $2; bad = 1 }
        END { exit bad }' <(echo "$1") <(echo "$2") || fail "counters ran backwards"
}

# near A B TOLERANCE: fails unless they differ by no more than that.
near() {
    local difference=$(($1 - $2))
    ((${difference#-} <= $3)) || fail "$1 is not within $3 of $2"
}

# in_cgroup_of NAME COMMAND...: runs a program of this machine in the container's cgroups.
in_cgroup_of() {
    local id controllers path top
    (
        while IFS=: read -r id controllers path; do
            top=/sys/fs/cgroup/${controllers#name=}
            [[ $id != 0 ]] || top=/sys/fs/cgroup/unified
            [[ $(cgroup_version) != v2 ]] || top=/sys/fs/cgroup
            [[ ! -d $top$path ]] || echo "$BASHPID" >"$top$path/cgroup.procs"
        done <"/proc/$(container_pid "$1")/cgroup"
        exec "${@:2}"
    )
}

# add_disk NAME: /disk in the container is a directory on a disk, which the test's own
# directories (a tmpfs) are not.
add_disk() {
    mkdir -p "$DISK/$1"
    set_config "$1" '.mounts += [{destination: "/disk", type: "bind", source: $dir,
        options: ["bind", "rw"]}]' --arg dir "$DISK/$1"
}

make_disk() { DISK=$(mktemp -d -p /var/tmp) && export DISK; }
remove_disk() { rm -rf "$DISK"; }
