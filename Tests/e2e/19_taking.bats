# MemAvailable is what can be taken: a process takes memory until the kernel kills it, and comes
# as far as the file had said, within 5 %. Free swap comes on top. The containers are small, and
# what kills is the limit of a cgroup, never the machine.

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

teardown() { cleanup_containers; }

MB=1024 # kB
TAKE=$REPO/.build/programs/take

has_swap() { [[ $(wc -l </proc/swaps) -gt 1 ]]; }

# pod NAME BYTES [SWAP]: a cgroup with limits for several containers.
pod() {
    local swap=()
    ! has_swap || swap=("${3:-0}")
    make_limited_cgroup "$E2E_CGROUP/$1" "$2" "${swap[@]}"
}

# box NAME PARENT [OPTION...]: a container NAME that sleeps, below the cgroup PARENT ("": none);
# with SWAP bytes of swap (0).
box() {
    local name=$1 parent=$2
    shift 2
    [[ -x $TAKE ]] || skip "needs a C compiler"
    make_bundle "$name" "$@"
    cp "$TAKE" "$(bundle_of "$name")/rootfs/bin/take"
    add_disk "$name"
    set_config "$name" '.mounts += [{destination: "/shm", type: "tmpfs", source: "tmpfs",
        options: ["size=200m"]}] | .linux.cgroupsPath = $path' \
        --arg path "$E2E_CGROUP/${parent:+$parent/}$name"
    # The runtimes count memory and swap together, on v2 as well.
    ! has_swap || set_config "$name" '.linux.resources.memory |=
        if .limit then .swap = .limit + $swap else . end' --argjson swap "${SWAP:-0}"
    start_container runc "$name"
}

in_box() { exec_container runc "$1" sh -c "$2" 2>&1; }

# fills NAME MEGABYTES: with page cache that is clean, or with option "dirty" is not.
fills() { in_box "$1" "dd if=/dev/zero of=/disk/f bs=1M count=$2 && ${3:-sync}"; }

# takes NAME LEAST: what is taken is what was promised, and at least LEAST megabytes. With swap
# in three tries: the kernel kills before swap is full if the disk does not keep up.
takes() {
    local tries=1 available swap taken end line
    ! has_swap || tries=3
    while ((tries > 0)); do
        line=$(in_box "$1" "take 400")
        read -r available swap taken end <<<"$line"
        echo "# $BATS_TEST_DESCRIPTION: available $available, swap $swap, taken $taken kB, $end" >&3
        [[ $end == killed ]] || fail "no end at $taken kB"
        near $((available + swap)) "$taken" $((taken / 20)) && break
        tries=$((tries - 1))
    done
    ((tries > 0)) || fail "not what was promised"
    ((taken >= $2 * MB)) || fail "only $taken kB"
}

@test "a limit of its own" {
    box idle "" -m $((64 << 20))
    takes idle 58
}

@test "a limit of its own, full of its own page cache" {
    box cached "" -m $((100 << 20))
    fills cached 90
    takes cached 90
}

@test "page cache that is not written yet" {
    box dirty "" -m $((100 << 20))
    fills dirty 60 true
    takes dirty 90
}

@test "shared memory is not available" {
    box shared "" -m $((100 << 20))
    in_box shared 'dd if=/dev/zero of=/shm/f bs=1M count=40'
    takes shared 50
}

@test "a limit above, and a neighbour with page cache" {
    pod pod $((200 << 20))
    box neighbour pod -m 0
    box own pod -m 0
    fills neighbour 120
    takes own 180
}

@test "a limit above, one of its own, and a neighbour with page cache" {
    pod pod $((200 << 20))
    box neighbour pod -m 0
    box own pod -m $((150 << 20))
    fills neighbour 120
    takes own 138
}

@test "a limit above, and a neighbour with shared memory" {
    pod pod $((150 << 20))
    box neighbour pod -m 0
    box own pod -m $((140 << 20))
    in_box neighbour 'dd if=/dev/zero of=/shm/f bs=1M count=60'
    takes own 80
}

@test "three levels, page cache at each" {
    pod pod $((200 << 20))
    pod pod/inner $((160 << 20))
    box far pod -m $((100 << 20))
    box near pod/inner -m 0
    box own pod/inner -m $((150 << 20))
    fills far 50
    fills near 60
    fills own 30
    takes own 138
}

@test "page cache of a neighbour, and of the machine, is nobody's use" {
    pod pod $((200 << 20))
    box neighbour pod -m 0
    box own pod -m 0
    local free available
    free=$(meminfo_of own MemFree)
    available=$(meminfo_of own MemAvailable)
    fills neighbour 100
    dd if=/dev/zero of="$DISK/f" bs=1M count=100 && sync "$DISK/f" && rm "$DISK/f"
    near "$(meminfo_of own MemFree)" "$free" $((3 * MB))
    near "$(meminfo_of own MemAvailable)" "$available" $((3 * MB))
}

@test "swap on top" {
    needs_swap
    SWAP=$((32 << 20)) box own "" -m $((64 << 20))
    [[ $(meminfo_of own SwapTotal) == $((32 * MB)) ]]
    takes own 88
}

@test "swap, with page cache and shared memory" {
    needs_swap
    SWAP=$((64 << 20)) box own "" -m $((64 << 20))
    in_box own 'dd if=/dev/zero of=/shm/f bs=1M count=20'
    fills own 30
    takes own 90
}

@test "swap, part of which is used" {
    needs_swap
    SWAP=$((64 << 20)) box own "" -m $((64 << 20))
    in_box own 'dd if=/dev/urandom of=/shm/f bs=1M count=80'
    takes own 30
}

@test "limits on memory and swap at two levels, and a neighbour" {
    needs_swap
    pod pod $((100 << 20)) $((30 << 20))
    box neighbour pod -m 0
    SWAP=$((80 << 20)) box own pod -m $((80 << 20))
    takes own 105
    in_box neighbour 'dd if=/dev/urandom of=/shm/f bs=1M count=40'
    fills neighbour 30
    takes own 70
}

@test "where the kernel begins to throttle is a limit" {
    needs_cgroup v2
    box own "" -m $((128 << 20))
    echo $((64 << 20)) >"$(cgroup_file own memory.high - -)"
    [[ $(meminfo_of own MemTotal) == $((64 * MB)) ]]
    near $((64 * MB - $(meminfo_of own MemFree))) "$(kernel_usage own)" $((2 * MB))
    fills own 100
    # The kernel has kept the usage at that.
    (($(kernel_usage own) <= 72 * MB))
    (($(meminfo_of own MemAvailable) >= 50 * MB && $(meminfo_of own MemAvailable) <= 64 * MB))
}

@test "a limit below the usage: no part is more than the whole" {
    needs_cgroup v2
    box own "" -m $((64 << 20))
    in_box own 'dd if=/dev/zero of=/shm/f bs=1M count=26'
    # Otherwise the kernel would kill until there is room.
    echo -1000 >"/proc/$(container_pid own)/oom_score_adj"
    echo $((16 << 20)) >"$(cgroup_file own memory.max - -)"
    (($(kernel_usage own) > 20 * MB)) || fail "the kernel has got it below the limit"
    look own /proc/meminfo | awk '
        { sub(":", "", $1); value[$1] = $2 }
        function most(part, whole) {
            if (part > whole) { print part, "of", whole; bad = 1 }
        }
        END {
            room = value["MemTotal"] - value["MemFree"]
            most(value["MemTotal"], 16384)
            most(value["MemAvailable"], 4096)
            most(value["AnonPages"] + value["Cached"] + value["Slab"] + value["PageTables"], room)
            most(value["Active"] + value["Inactive"] + value["Unevictable"], room)
            most(value["Shmem"], value["Cached"])
            most(value["Mapped"], value["Cached"])
            exit bad
        }'
}
