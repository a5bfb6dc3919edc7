# Loads that the test makes itself, read back by the container. What is right, the kernel
# says in the files of the container's cgroup at the same time; so a busy machine changes
# nothing. A neighbour beside it must see none of it.
#
# Tolerances: memory 2 MB (per-CPU counters that the kernel has not added up yet), CPU time
# 0.2 s (between the two readings), load 0.3.

load helpers
load load

setup_file() {
    make_disk
    start_daemon
}

teardown_file() {
    stop_daemon
    remove_disk
}

teardown() {
    cleanup_containers
    [[ -z ${RESERVED:-} ]] || echo 0 >"$RESERVED"
}

MB=1024 # kB

# pair [OPTION...]: the containers `loaded` (with OPTIONs) and `neighbour`.
pair() {
    make_bundle neighbour -m $((256 << 20))
    start_container runc neighbour
    make_bundle loaded "$@"
    add_disk loaded
    set_config loaded '.mounts += [{destination: "/shm", type: "tmpfs", source: "tmpfs",
        options: ["size=200m"]}]'
    start_container runc loaded
}

# work SCRIPT: in the container, in the background, until the container ends.
work() { exec_container runc loaded sh -c "$1" >/dev/null 2>&1 3>&- & }

kernel_has() { (($(kernel_memory loaded "$1" "$2") >= 100 * MB)); }

# agree: every field that the kernel has a number for, within the tolerance.
agree() {
    look loaded /proc/meminfo >"$WORK/shown"
    awk -v version="$(cgroup_version)" -v tolerance=$((2 * MB)) '
        FILENAME ~ /memory.stat$/ { kernel[$1] = $2 / 1024; next }
        FILENAME ~ /shown$/ { sub(":", "", $1); shown[$1] = $2; next }
        {
            key = version == "v2" ? $2 : $3
            if (key == "-") next
            if (!($1 in shown)) next # not a line of this kernel
            difference = shown[$1] - kernel[key]
            if (difference < -tolerance || difference > tolerance) {
                print $1, shown[$1], "kB, the kernel has", kernel[key]
                bad = 1
            }
            compared++
        }
        END { exit bad || compared < 8 }' \
        "$(cgroup_file loaded memory.stat memory memory.stat)" "$WORK/shown" - <<'END'
AnonPages       anon            total_rss
AnonHugePages   anon_thp        total_rss_huge
Cached          file            total_cache
Mapped          file_mapped     total_mapped_file
Shmem           shmem           total_shmem
SwapCached      swapcached      total_swapcached
Active(file)    active_file     total_active_file
Inactive(file)  inactive_file   total_inactive_file
Active(anon)    active_anon     total_active_anon
Inactive(anon)  inactive_anon   total_inactive_anon
SReclaimable    slab_reclaimable -
SUnreclaim      slab_unreclaimable -
PageTables      pagetables      -
KernelStack     kernel_stack    -
END
    near "$(meminfo_of loaded MemTotal)" $((512 * MB)) 0
    near $((512 * MB - $(meminfo_of loaded MemFree))) "$(kernel_usage loaded)" $((2 * MB))
}

invisible() {
    look neighbour /proc/meminfo | awk '
        /^(AnonPages|Shmem|Mapped|Cached):/ && $2 >= 20480 { print; bad = 1 }
        /^MemFree:/ && $2 <= 204800 { print; bad = 1 }
        END { exit bad }' || fail "the neighbour sees it"
}

# The bundle's rootfs is in a tmpfs, which the first one to read it is charged for.
@test "100 MB of anonymous memory" {
    pair -m $((512 << 20))
    # The buffer of dd, which cannot write it.
    work 'dd if=/dev/zero bs=100M count=1 | sleep 1000'
    wait_for 20 kernel_has anon total_rss
    agree
    (($(meminfo_of loaded AnonPages) >= 100 * MB))
    (($(meminfo_of loaded Committed_AS) >= 100 * MB))
    (($(meminfo_of loaded MemAvailable) <= 412 * MB))
    invisible
}

@test "100 MB of page cache" {
    pair -m $((512 << 20))
    exec_container runc loaded sh -c 'dd if=/dev/zero of=/disk/f bs=1M count=100 && sync' 2>&1
    wait_for 20 kernel_has file total_cache
    agree
    (($(meminfo_of loaded Cached) >= 100 * MB))
    # It can be had back.
    (($(meminfo_of loaded MemAvailable) >= $(meminfo_of loaded MemFree) + 98 * MB))
    invisible
}

@test "100 MB of shared memory" {
    pair -m $((512 << 20))
    exec_container runc loaded dd if=/dev/zero of=/shm/f bs=1M count=100 2>&1
    wait_for 20 kernel_has shmem total_shmem
    agree
    (($(meminfo_of loaded Shmem) >= 100 * MB))
    (($(meminfo_of loaded Cached) >= 100 * MB))
    # It cannot be had back, though it is "cached".
    (($(meminfo_of loaded MemAvailable) <= 412 * MB))
    invisible
}

@test "100 MB of a mapped file" {
    needs_command perl
    [[ $(uname -m) == x86_64 ]] || skip "knows the number of mmap(2) on x86-64 alone"
    pair -m $((512 << 20))
    # mmap(0, 100 MB, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0) of a file that the
    # container has written.
    exec_container runc loaded dd if=/dev/zero of=/disk/f bs=1M count=100 2>&1
    in_cgroup_of loaded perl -e 'open(F, "<", $ARGV[0]) or die;
        syscall(9, 0, 100 << 20, 1, 0x8001, fileno(F), 0) > 0 or die $!; sleep 1000' \
        "$DISK/loaded/f" 3>&- &
    wait_for 20 kernel_has file_mapped total_mapped_file
    agree
    (($(meminfo_of loaded Mapped) >= 100 * MB))
    invisible
}

hugepages() {
    [[ -x $REPO/.build/programs/hugepages ]] || skip "needs a C compiler"
    in_cgroup_of loaded "$REPO/.build/programs/hugepages" "$@" 3>&- &
}

@test "100 MB of huge pages" {
    [[ $(cat /sys/kernel/mm/transparent_hugepage/enabled) != *"[never]"* ]] ||
        skip "needs transparent huge pages"
    pair -m $((512 << 20))
    hugepages transparent 100
    wait_for 20 kernel_has anon_thp total_rss_huge
    agree
    (($(meminfo_of loaded AnonHugePages) >= 100 * MB))
    (($(meminfo_of loaded AnonPages) >= 100 * MB))
    near "$(meminfo_of neighbour AnonHugePages)" 0 $((4 * MB))
    invisible
}

@test "reserved huge pages" {
    [[ $(cgroup_version) == v2 ]] || skip "takes memory from a machine that others use"
    grep -qw hugetlb /sys/fs/cgroup/cgroup.controllers || skip "needs the hugetlb controller"
    make_bundle loaded
    make_bundle neighbour
    set_config loaded '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: $limit}]' \
        --argjson limit $((32 << 20))
    RESERVED=/proc/sys/vm/nr_hugepages
    echo 20 >$RESERVED
    start_container runc loaded
    start_container runc neighbour
    hugepages reserved 16
    used() {
        (($(cat "$(cgroup_file loaded hugetlb.2MB.current - -)") == 16 << 20))
    }
    wait_for 20 used
    # Total, free, reserved, surplus.
    shown() {
        look "$1" /proc/meminfo |
            awk '/^HugePages_/ { printf "%s%s", separator, $2; separator = " " }'
    }
    [[ $(shown loaded) == "16 8 0 0" && $(meminfo_of loaded Hugetlb) == $((32 * MB)) ]] ||
        fail "$(shown loaded)"
    # It may have all of them, but no more than are left.
    [[ $(shown neighbour) == "20 12 0 0" && $(meminfo_of neighbour Hugetlb) == $((40 * MB)) ]] ||
        fail "$(shown neighbour)"
}

@test "memory that is swapped out" {
    needs_swap
    pair -m $((64 << 20))
    delete_container runc loaded
    set_config loaded '.linux.resources.memory.swap = $swap' --argjson swap $((192 << 20))
    start_container runc loaded
    # Not zeros: of huge pages full of them Linux 6.12 makes nothing rather than swap them.
    work 'tr "\000" x </dev/zero | dd bs=100M count=1 iflag=fullblock | sleep 1000'
    swapped() { (($(kernel_swap loaded) >= 30 * MB)); }
    wait_for 30 swapped
    stopped() {
        local before=$(kernel_swap loaded)
        sleep 0.3
        [[ $before == "$(kernel_swap loaded)" ]]
    }
    wait_for 30 stopped
    near "$(meminfo_of loaded SwapTotal)" $((128 * MB)) 0
    near $((128 * MB - $(meminfo_of loaded SwapFree))) "$(kernel_swap loaded)" $((2 * MB))
    near "$(look loaded /proc/swaps | awk 'NR == 2 { print $4 }')" "$(kernel_swap loaded)" \
        $((2 * MB))
    near "$(meminfo_of neighbour SwapFree)" "$(meminfo_of neighbour SwapTotal)" $((130 * MB))
}

@test "what ran on one CPU before the first read is shown on that CPU" {
    [[ $(cgroup_version) != v2 ]] || skip "cgroup v2 does not count by CPU"
    [[ $(nproc) -gt 1 ]] || skip "needs two CPUs"
    make_bundle pinned 'taskset 1 timeout 1 sh -c "while :; do :; done"; cat /proc/stat'
    run_container "${RUNTIMES[0]}" pinned >"$WORK/pinned.stat"
    cat "$WORK/pinned.stat"
    awk '$1 == "cpu0" { first = $2 + $4 } $1 == "cpu1" { second = $2 + $4 }
        END { exit !(first >= 60 && second <= 30) }' "$WORK/pinned.stat"
}

@test "half a CPU" {
    pair -q 50000
    local before after kernel_before kernel_after other_before other_after wall
    moment() { look "$1" /proc/stat /proc/uptime |
        awk '$1 == "cpu" { print $2 + $4, $5 } END { print int($1 * 100) }' | tr '\n' ' '; }
    before=$(moment loaded)
    other_before=$(busy_of neighbour)
    work 'timeout 4 sh -c "while :; do :; done"'
    sleep 3
    kernel_before=$(kernel_cpu loaded)
    after=$(moment loaded)
    kernel_after=$(kernel_cpu loaded)
    other_after=$(busy_of neighbour)
    read -r b0 i0 u0 <<<"$before"
    read -r b1 i1 u1 <<<"$after"
    echo "busy $b0 idle $i0 uptime $u0; then $b1 $i1 $u1; kernel $kernel_before to $kernel_after"
    # What the kernel said just before and just after.
    ((b1 >= kernel_before - 20 && b1 <= kernel_after + 20)) || fail "not the kernel's"
    # One CPU is seen; whatever it did not do it was idle.
    wall=$((u1 - u0))
    near $((b1 - b0 + i1 - i0)) $wall 20
    # Half of it is used at most: 50 % in top.
    ((b1 - b0 <= wall / 2 + 20)) || fail "more than half a CPU"
    ((b1 - b0 >= 5)) || fail "no load"
    # By nsenter of the test itself the neighbour uses a little.
    near "$other_after" "$other_before" 20
}

# sectors COLUMN: of all disks, as the container sees it (6: read, 10: written).
sectors() { look loaded /proc/diskstats | awk -v c="$1" '{ n += $c } END { printf "%d", n }'; }

kernel_io() {
    if [[ $(cgroup_version) == v2 ]]; then
        tr ' ' '\n' <"$(cgroup_file loaded io.stat - -)" |
            awk -F= -v key="$1" '$1 == key { n += $2 } END { printf "%d", n / 512 }'
    else
        local file kind=Write
        [[ $1 == wbytes ]] || kind=Read
        for file in throttle bfq; do
            awk -v kind=$kind '$2 == kind { n += $3 } END { printf "%d\n", n / 512 }' \
                "$(cgroup_file loaded - blkio "blkio.$file.io_service_bytes_recursive")"
        done | sort -n | tail -n 1
    fi
}

@test "50 MB written with fsync" {
    pair -m $((256 << 20))
    # Direct, for what goes through the page cache is at times the root's, also on v2.
    exec_container runc loaded \
        dd if=/dev/zero of=/disk/f bs=1M count=50 oflag=direct conv=fsync 2>&1
    sync # the file system's own, later
    local written
    written=$(kernel_io wbytes)
    echo "the kernel says $written sectors"
    near "$(sectors 10)" "$written" 64
    near "$(sectors 6)" "$(kernel_io rbytes)" 64
    near "$(look neighbour /proc/diskstats | awk '{ n += $10 } END { printf "%d", n }')" 0 2048
    # On v1 newer kernels count nothing until a limit is set.
    if [[ $(cgroup_version) == v2 ]]; then ((written >= 102400)); fi
}

@test "4 runnable threads for 15 seconds" {
    pair -q 100000
    local first load other
    first=$(look loaded /proc/loadavg)
    look neighbour /proc/loadavg
    work 'for i in 1 2 3 4; do timeout 60 sh -c "while :; do :; done" & done; wait'
    sleep 15.5
    load=$(look loaded /proc/loadavg) other=$(look neighbour /proc/loadavg)
    echo "$first; then $load; neighbour $other"
    # 3 or 4 samples of 4 threads: 4 * (1 - exp(-15 / 60)) = 0.88, or 1.13 with one more.
    awk -v load="${load%% *}" -v other="${other%% *}" \
        'BEGIN { exit !(load >= 0.58 && load <= 1.43 && other <= 0.3) }'
    # With spaces at its end, should it have become shorter.
    [[ $load =~ ^[^/]*\ ([0-9]+)/([0-9]+)\ [0-9]+\ *$ ]]
    ((BASH_REMATCH[1] >= 4 && BASH_REMATCH[2] < 20))
    (($(look loaded /proc/stat | awk '$1 == "procs_running" { print $2 }') >= 4))
    (($(look neighbour /proc/stat | awk '$1 == "procs_running" { print $2 }') <= 3))
}

# Its processes have a number in both namespaces, and those in the inner one begin with 1.
@test "the last process number is that of the container's pid namespace, not of one within it" {
    make_bundle loaded 'for i in $(seq 300); do (:); done
        exec unshare --pid --fork sh -c "echo inner; while :; do sleep 1; done"'
    set_config loaded '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
    start_container runc loaded
    wait_for 5 grep -q inner "$WORK/loaded.log"
    local inner
    inner=$(awk '/^NSpid:/ && NF == 4 { print $3 }' \
        $(sed 's,.*,/proc/&/status,' "$(cgroup_file loaded cgroup.procs pids cgroup.procs)") |
        sort -n | head -n 1)
    ((inner > 300)) || fail "inner: $inner"
    (($(look loaded /proc/loadavg | awk '{ print $5 }') >= inner)) ||
        fail "$inner; $(look loaded /proc/loadavg)"
    (($(look loaded /proc/stat | awk '/^processes/ { print $2 }') >= inner))
}

# Where the reader is known, it is told of its own namespace, as the kernel does.
@test "the last process number with docker -v, in a pid namespace within the container's" {
    make_bundle volume -n 'for i in $(seq 300); do (:); done
        cat /proc/loadavg; unshare --pid --fork cat /proc/loadavg'
    set_config volume '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])
        | .mounts += [{destination: "/proc/loadavg", type: "bind", source: $source,
            options: ["bind"]}]' --arg source "$WORK/lxcfs/proc/loadavg"
    run -0 run_container "${RUNTIMES[0]}" volume
    (($(awk '{ print $5 }' <<<"${lines[0]}") > 300)) || fail "$output"
    (($(awk '{ print $5 }' <<<"${lines[1]}") == 1)) || fail "$output"
}
