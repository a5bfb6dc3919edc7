# What a container makes inside is its own: pid namespaces, cgroups and threads, as many as it likes,
# share what one container may have of the daemon. Further ways to be expensive, and each capability
# by itself.

# shellcheck disable=SC2016 # jq and the containers expand their variables themselves

load helpers
load load
load survival
load hostile

setup_file() {
    start_daemon
    # The test itself is one of those who look: what is kept open for it is not the attackers'.
    cat "$WORK/lxcfs/proc/"{stat,uptime,loadavg} >/dev/null
    meet_neighbour
}

teardown_file() {
    leave_neighbour
    stop_daemon
}

setup() { WORKER=$(worker_pid); }

teardown() {
    stop_attacks
    remove_sub_cgroups
}

# caller_bundle NAME PROGRAM [BUNDLE-OPTION...] COMMAND...: an attacker that sees the caller tree, as
# with `docker -v`.
caller_bundle() {
    attack_bundle "$@"
    mkdir -p "$(bundle_of "$1")/rootfs/lxcfs"
    set_config "$1" '.linux.resources.pids.limit = 0
        | .mounts += [{destination: "/lxcfs", type: "bind", source: $dir,
            options: ["rbind", "ro"]}]' --arg dir "$WORK/lxcfs"
}

is_ready() { grep -q ready "$WORK/$1.log"; }

has_said() { grep -q "$2" "$WORK/$1.log"; }

# The worker is the one that there was, and the keeper has not complained.
same_worker() {
    [[ $(worker_pid) == "$WORKER" ]] || fail "the worker has been replaced"
    ! grep -E "hangs|stuck" "$WORK/lxcfsd.log" || fail "the keeper complains"
}

# ticks FILE...: CPU time in stat files of processes or threads, in hundredths of a second.
ticks() { cat "$@" 2>/dev/null | sed 's/.*) //' | awk '{ sum += $12 + $13 } END { print sum + 0 }'; }

# The daemon's: of the worker and its aide.
daemon_ticks() {
    # shellcheck disable=SC2046 # words
    ticks "/proc/$WORKER/stat" $(sed 's|\([0-9]*\) *|/proc/\1/stat |g' "/proc/$WORKER/task/"*/children)
}

# Of the thread that samples loads.
sampler_ticks() {
    local thread
    for thread in "/proc/$WORKER/task/"*; do
        [[ $(<"$thread/comm") != load ]] || ticks "$thread/stat"
    done
}

# works TITLE SECONDS MOST [MOST-OF-THE-SAMPLER]: the daemon works that much at most, in hundredths of
# a CPU.
works() {
    local start=${EPOCHREALTIME/./} daemon sampler took
    daemon=$(daemon_ticks) sampler=$(sampler_ticks)
    sleep "$2"
    took=$(((${EPOCHREALTIME/./} - start) / 10000))
    daemon=$((($(daemon_ticks) - daemon) * 100 / took))
    sampler=$((($(sampler_ticks) - sampler) * 100 / took))
    echo "# $1: the daemon works $daemon %, its sampler $sampler %" >&3
    ((daemon <= $3)) || fail "the daemon works $daemon %"
    ((sampler <= ${4:-100})) || fail "the sampler works $sampler %"
}

@test "600 pid namespaces, each of which reads the load" {
    caller_bundle nested attack_more -m 0 -q 50000 \
        /attack_more nest 600 /lxcfs/proc/loadavg /lxcfs/proc/stat
    attack nested
    wait_for 30 is_ready nested
    under_attack "600 pid namespaces" 3
    # A hundredth of a CPU, and 40 ms in advance, of which there may be some left.
    works "600 pid namespaces" 4 95 10
    same_worker
    stop_attacks
    all_given_back "600 pid namespaces"
}

# make_sub_cgroups NAME COUNT: as a container does that may write to its cgroup; spreads the processes
# of the container over them.
make_sub_cgroups() {
    local dir number pid
    for dir in "$(dirname "$(cgroup_file "$1" cgroup.procs memory cgroup.procs)")" \
        "$(dirname "$(cgroup_file "$1" cgroup.procs cpuset cgroup.procs)")"; do
        echo "$dir" >>"$WORK/sub_cgroups"
        number=0
        while read -r pid; do
            mkdir -p "$dir/sub$((number % $2))"
            [[ ! -e $dir/cpuset.cpus ]] || {
                cat "$dir/cpuset.cpus" >"$dir/sub$((number % $2))/cpuset.cpus"
                cat "$dir/cpuset.mems" >"$dir/sub$((number % $2))/cpuset.mems"
            }
            echo "$pid" >"$dir/sub$((number % $2))/cgroup.procs" || true
            number=$((number + 1))
        done < <(cat "$dir/cgroup.procs")
    done
}

@test "cgroups and pid namespaces of its own do not get it more than its share of a CPU" {
    caller_bundle spread attack_more -m 0 -q 150000 \
        /attack_more busy 24 /lxcfs/proc/stat /lxcfs/proc/uptime
    attack spread
    wait_for 20 is_ready spread
    make_sub_cgroups spread 48
    works "24 cgroups" 3 95
    same_worker
    stop_attacks
    remove_sub_cgroups
    # And so with one that is not registered.
    caller_bundle spread attack_more -n -m 0 -q 150000 \
        /attack_more busy 24 /lxcfs/proc/stat /lxcfs/proc/uptime
    attack spread
    wait_for 20 is_ready spread
    make_sub_cgroups spread 48
    works "24 cgroups, unregistered" 3 95
}

@test "300 threads take turns, so that each request comes from another one" {
    caller_bundle threads attack_more -m 0 -q 150000 \
        /attack_more threads 300 /lxcfs/proc/stat /lxcfs/proc/uptime
    attack threads
    wait_for 20 is_ready threads
    # Of these 44 at least are refused, and ask again at once: receiving that is what is left.
    works "300 threads" 3 120
    same_worker
}

@test "a container in the host's pid namespace does not use up what root may have open" {
    caller_bundle shares opens /opens hold /lxcfs/proc/uptime
    set_config shares '.linux.namespaces |= map(select(.type != "pid"))'
    add_hooks shares --host-pid
    attack shares
    wait_for 60 has_said shares 'held .*: EMFILE'
    [[ $(tail -n 1 "$WORK/shares.log") == "held 2048: EMFILE" ]] || fail "$(<"$WORK/shares.log")"
    cat "$WORK/lxcfs/proc/uptime"
    stop_attacks
    # Nobody is told of its end.
    all_given_back "a container in the host's pid namespace"
}

@test "in many other ways" {
    local way
    for way in "ways 8 /proc/stat /lxcfs/proc/meminfo /proc/uptime" \
        "odd 8 /proc/stat /lxcfs/proc/meminfo /proc/pressure/cpu" \
        "signals 2 /proc/stat /lxcfs/proc/meminfo /proc/uptime" \
        "vfork 8 /proc/stat /lxcfs/proc/meminfo" \
        "wait 8 /lxcfs/proc/stat /proc/pressure/cpu /proc/stat" \
        "seek 8 /lxcfs/proc /sys/devices/system/cpu /lxcfs/sys/devices/system/cpu/cpu0" \
        "mounts 5000 /proc/diskstats /lxcfs/proc/stat" \
        "faults 8 /proc/stat /proc/uptime" \
        "new 8 /lxcfs/proc/stat /lxcfs/proc/loadavg" \
        "deep 30 4 /lxcfs/proc/loadavg /lxcfs/proc/stat"; do
        # shellcheck disable=SC2086 # words
        caller_bundle "way-${way%% *}" attack_more -m 0 -q 10000 /attack_more $way
        attack "way-${way%% *}"
        wait_for 30 is_ready "way-${way%% *}"
    done
    under_attack "many ways" 4
    same_worker
    stop_attacks
    all_given_back "many ways"
}

# set_cgroup NAME V2-FILE V1-CONTROLLER V1-FILE V2-VALUE V1-VALUE
set_cgroup() {
    if [[ $(cgroup_version) == v2 ]]; then
        echo "$5" >"$(cgroup_file "$1" "$2" "$3" "$4")"
    else
        echo "$6" >"$(cgroup_file "$1" "$2" "$3" "$4")"
    fi
}

@test "readers that are frozen with requests in hand, and limits that change all the time" {
    local n
    attack_bundle frozen attack_pages -q 50000 \
        /attack_pages locked 24 /proc/meminfo /proc/stat /proc/uptime
    attack frozen
    for n in 1 2 3 4 5; do
        sleep 0.2
        set_cgroup frozen cgroup.freeze freezer freezer.state 1 FROZEN
        [[ $n == 5 ]] || set_cgroup frozen cgroup.freeze freezer freezer.state 0 THAWED
    done
    attack_bundle limits attack_pages -q 50000 /attack_pages flood 8 /proc/meminfo /proc/swaps
    attack limits
    (
        while :; do
            for n in 20 30 200 900; do
                set_cgroup limits memory.max memory memory.limit_in_bytes ${n}M ${n}M || exit 0
            done
        done
    ) 2>/dev/null 3>&- &
    n=$!
    under_attack "frozen, and new limits" 4
    kill "$n" 2>/dev/null || true
    same_worker
    set_cgroup frozen cgroup.freeze freezer freezer.state 0 THAWED
    stop_attacks
    all_given_back "frozen, and new limits"
}

# From capability.h.
CAPABILITIES=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
    LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE
    SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
    SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
    WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE)

# has_capability NUMBER: this machine lets its root have it.
has_capability() { ((16#$(awk '/^CapBnd/ { print $2 }' /proc/self/status) >> $1 & 1)); }

@test "each capability by itself: other containers are neither seen nor named" {
    local name number
    ((${#CAPABILITIES[@]} == 41))
    for ((number = 0; number < 41; number++)); do
        has_capability $number || continue
        name=${CAPABILITIES[number]}
        # What is named for it is not there: the names, the numbers, and the way over a link.
        caller_bundle one attack_across -m $((64 << 20)) '
            /attack_across handle /proc/uptime >/handles &
            /attack_across lease /lxcfs/proc/stat /lxcfs/proc/uptime >/leases &
            echo "names" $(ls -a /lxcfs /lxcfs/../lxcfs | grep -v : | sort -u)
            for file in /lxcfs/neighbour /lxcfs/neighbour/proc/meminfo \
                /lxcfs/proc/../neighbour/proc/pressure/cpu /proc/../lxcfs/neighbour; do
                ! ls -d $file 2>/dev/null && ! cat $file 2>/dev/null || echo "sees $file"
            done
            awk "/MemTotal/ { print \"own\", \$2 }" /proc/meminfo
            for turn in 1 2 3 4 5 6 7 8 9 10; do
                grep -q done /handles && grep -q done /leases && break
                sleep 0.1
            done
            tail -n 1 /handles; cat /leases; kill %1 %2'
        set_config one '.process.capabilities |= with_entries(.value |= (. + [$name] | unique))' \
            --arg name "CAP_$name"
        run run_container "${RUNTIMES[0]}" one
        [[ $output != *sees* && $output == *"names . .. proc sys"* ]] || fail "$name: $output"
        [[ $output == *"own 65536"* ]] || fail "$name: $output"
        [[ $output == *"done 0"*done* && $output != *"write lease: yes"* ]] || fail "$name: $output"
        rm -rf "$(bundle_of one)"
    done
    ask_neighbour 0.5 | grep "failed 0 "
}
