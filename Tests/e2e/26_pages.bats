# A container floods the daemon with requests, keeps pages of its files locked, or maps them a
# million times: it waits for itself, and nobody else does.

load helpers
load survival
load hostile

setup_file() {
    # As on kernels before Linux 6.9: what has been put aside is up to the daemon.
    start_daemon --no-resend
    meet_neighbour
    cp "$REPO/.build/programs/attack_pages" "$(bundle_of neighbour)/rootfs/attack_pages"
}
teardown_file() { leave_neighbour; stop_daemon; }
setup() { WORKER=$(worker_pid); }
teardown() { stop_attacks; }

# The worker is the one that there was, and the keeper has not complained.
same_worker() {
    [[ $(worker_pid) == "$WORKER" ]] || fail "the worker has been replaced"
    ! grep -E "hangs|stuck" "$WORK/lxcfsd.log" || fail "the keeper complains"
}

# stale_at_most SECONDS MICROSECONDS: what a mapped file of the neighbour shows meanwhile.
stale_at_most() {
    local line
    line=$(nsenter --mount --target "$(container_pid neighbour)" \
        /attack_pages stale "$1" /proc/uptime 3>&-)
    echo "# a mapped file: $line" >&3
    (($(figure changes "$line") >= $1)) || fail "the mapped file does not change"
    (($(figure stale "$line") < $2 * ${E2E_PATIENCE:-1})) || fail "longer than $2 us"
}

@test "64 processes flood" {
    attack_bundle flood attack_pages -q 100000 /attack_pages flood 64 \
        /proc/meminfo /proc/stat /proc/loadavg /proc/uptime /proc/cpuinfo
    attack flood
    under_attack "64 processes flood"
    same_worker
    stop_attacks
    all_given_back "64 processes flood"
}

@test "600 processes flood: some of their requests are refused" {
    attack_bundle flood attack_pages -q 100000 /attack_pages flood 600 /proc/meminfo /proc/stat
    attack flood
    under_attack "600 processes flood"
    same_worker
    stop_attacks
    all_given_back "600 processes flood"
}

@test "readers that keep pages locked while their quota is used up" {
    local name
    for name in locked-1 locked-2 locked-3; do
        attack_bundle "$name" attack_pages -q 5000 /attack_pages locked 12 \
            /proc/meminfo /proc/stat /proc/loadavg /proc/uptime
        attack "$name"
    done
    under_attack "locked pages"
    stale_at_most 5 300000
    same_worker
    stop_attacks
    all_given_back "locked pages"
}

@test "a million mappings of one file" {
    local count
    count=$(($(</proc/sys/vm/max_map_count) - 100))
    attack_bundle mapped attack_pages -m $((2 << 30)) \
        /attack_pages mapped $((1000000 / count + 1)) "$count" /proc/uptime
    attack mapped
    sleep 3 # until they are mapped
    under_attack "a million mappings"
    stale_at_most 5 300000
    same_worker
    stop_attacks
    all_given_back "a million mappings"
}

@test "what has been put aside survives the worker" {
    local i load
    attack_bundle flood attack_pages -q 100000 /attack_pages flood 64 /proc/meminfo /proc/stat
    attack flood
    ask_neighbour 4 >"$WORK/line" &
    load=$!
    for ((i = 0; i < 8; i++)); do
        sleep 0.3
        WORKER=$(worker_pid)
        kill -KILL "$WORKER"
        wait_for 10 is_another_worker "$WORKER"
    done
    wait "$load"
    [[ $(figure failed "$(<"$WORK/line")") == 0 ]] || fail "$(<"$WORK/line")"
    # Whoever waits for an answer cannot be killed, and so the container not be deleted.
    stop_attacks
}
