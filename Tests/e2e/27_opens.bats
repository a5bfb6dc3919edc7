# What a container can have the daemon hold: open files, pressure triggers; and what it can have it
# do: opens, names that do not exist, listings. None of that is at the cost of others.

load helpers
load hostile

setup_file() {
    start_daemon
    meet_neighbour
}

teardown_file() {
    leave_neighbour
    stop_daemon
}

teardown() { stop_attacks; }

ask() { "$LXCFSD" "$1" --runtime-dir "$WORK/run" "${@:2}"; }

# caller_bundle NAME COMMAND...: an attacker that sees the caller tree, as with `docker -v`.
caller_bundle() {
    attack_bundle "$1" opens "${@:2}"
    mkdir -p "$(bundle_of "$1")/rootfs/lxcfs"
    set_config "$1" '.mounts += [{destination: "/lxcfs", type: "bind", source: $dir,
        options: ["rbind", "ro"]}]' --arg dir "$WORK/lxcfs"
}

# said NAME: what the attacker has said last.
said() { tail -n 1 "$WORK/$1.log"; }

has_said() { grep -q "$2" "$WORK/$1.log"; }

has_pressure() {
    cat "/proc/$(container_pid neighbour)/root/proc/pressure/cpu" >/dev/null 2>&1 ||
        skip "the kernel keeps no pressure for containers here"
}

# Its own limit, and nobody else's.
is_bounded() {
    local held
    held=$(said "$1" | awk '{ print $2 + 0 }')
    echo "# $1: $(said "$1")" >&3
    ((held >= $2 && held <= $3)) || fail "$held instead of $2 to $3"
}

@test "opens of the caller tree that are kept" {
    caller_bundle holder /opens hold /lxcfs/proc/slabinfo /lxcfs/proc/stat /lxcfs/proc/meminfo
    attack holder
    wait_for 60 has_said holder 'held .*: EMFILE'
    is_bounded holder 400 2048
    under_attack "opens kept"
    # Another caller, and the host, can still open.
    cat "$WORK/lxcfs/proc/slabinfo" >/dev/null
    caller_bundle other /bin/cat /lxcfs/proc/slabinfo
    run_container "${RUNTIMES[0]}" other | grep -q slabinfo
    (($(ask status --json | jq .refusedOpens) >= 1))
    # The next worker knows what it has, and refuses it more.
    local before
    before=$(ask status --json | jq .openFiles)
    kill -KILL "$(worker_pid)"
    wait_for 10 cat "$WORK/lxcfs/proc/meminfo"
    [[ $(ask status --json | jq .openFiles) == "$before" ]]
    run exec_container "${RUNTIMES[0]}" holder cat /lxcfs/proc/slabinfo
    [[ $status != 0 && $output == *"Too many open files"* ]] || fail "${output:0:200}"
    stop_attacks
    all_given_back "opens kept"
    wait_for 5 has_no_open_files
}

has_no_open_files() { [[ $(ask status --json | jq .openFiles) == 0 ]]; }

@test "namespaces of its own do not make a container another one" {
    caller_bundle nested /opens nest 3 /lxcfs/proc/uptime
    caller_bundle plain /opens hold /lxcfs/proc/uptime
    set_config nested '.process.capabilities[] += ["CAP_SYS_ADMIN"]'
    attack nested
    wait_for 60 has_said nested 'held .*: EMFILE'
    is_bounded nested 2048 2048
    # Its first pid namespace has nothing left either; another container has all.
    run exec_container "${RUNTIMES[0]}" nested cat /lxcfs/proc/uptime
    [[ $status != 0 && $output == *"Too many open files"* ]] || fail "$output"
    attack plain
    wait_for 60 has_said plain 'held .*: EMFILE'
    is_bounded plain 2048 2048
    stop_attacks
    wait_for 5 has_no_open_files
}

@test "pressure files that are open for writing" {
    has_pressure
    attack_bundle triggers opens /opens trigger /proc/pressure/cpu
    attack triggers
    wait_for 60 has_said triggers held
    needs_triggers triggers
    is_bounded triggers 64 64
    # The daemon has descriptors for what it needs, and others have triggers.
    under_attack "triggers kept"
    ask list >/dev/null
    (($(daemon_descriptors) < $(<"$WORK/quiet.descriptors") + 200))
    attack_bundle modest opens /opens trigger /proc/pressure/memory
    attack modest
    wait_for 60 has_said modest held
    is_bounded modest 64 64
    # Across a worker, too: what is open counts, though its triggers have ended.
    kill -KILL "$(worker_pid)"
    wait_for 10 ask list
    run exec_container "${RUNTIMES[0]}" triggers \
        sh -c 'echo "some 100000 2000000" >/proc/pressure/io'
    [[ $status != 0 && $output == *"Too many open files"* ]] || fail "$output"
    # Reading is another thing.
    exec_container "${RUNTIMES[0]}" triggers cat /proc/pressure/cpu
    stop_attacks
    all_given_back "triggers kept"
}

# Before Linux 6.5 the kernel takes no triggers of who has not CAP_SYS_RESOURCE.
needs_triggers() {
    [[ $(said "$1") != "held 0: "* ]] || skip "the kernel takes no triggers: $(said "$1")"
}

@test "with few descriptors in all, pressure files leave those that the daemon needs" {
    has_pressure
    local limited=$WORK/limited i
    mkdir -p "$limited/run" "$limited/lxcfs"
    (
        ulimit -n 256
        exec "$LXCFSD" --runtime-dir "$limited/run" "$limited/lxcfs" >"$limited/log" 2>&1 3>&-
    ) &
    echo $! >"$limited/pid"
    wait_for 10 cat "$limited/lxcfs/proc/meminfo"
    # Many users of triggers: each has its own budget, and all together a part.
    for i in 1 2 3 4; do
        attack_bundle "few-$i" opens /opens trigger /proc/pressure/cpu
        add_hooks "few-$i" --runtime-dir "$limited/run"
        attack "few-$i"
        wait_for 60 has_said "few-$i" held
        echo "# $(said "few-$i")" >&3
    done
    needs_triggers few-1
    "$LXCFSD" list --runtime-dir "$limited/run" | grep -q few-4
    wait_for 5 grep -q MemTotal "/proc/$(container_pid few-4)/root/proc/meminfo"
    [[ $(awk '$1 == "MemTotal:" { print $2 }' \
        "/proc/$(container_pid few-4)/root/proc/meminfo") == 131072 ]]
    ! grep -q 'Too many open files' "$limited/log" || fail "$(tail -n 5 "$limited/log")"
    stop_attacks
    kill "$(<"$limited/pid")"
    wait_for 10 is_gone "$(<"$limited/pid")"
}

# floods TITLE COMMAND...: with the caller tree in /lxcfs.
floods() {
    caller_bundle flood "${@:2}"
    attack flood
    wait_for 20 has_said flood 'a second'
    under_attack "$1"
    echo "# $1: $(said flood)" >&3
    stop_attacks
    all_given_back "$1"
}

@test "opens in a loop" {
    floods "8 processes open" /opens flood 8 /lxcfs/proc/{meminfo,stat,slabinfo,loadavg}
    floods "64 processes open" /opens flood 64 /lxcfs/proc/{meminfo,stat,slabinfo,loadavg}
}

@test "an open file is read from its start in a loop" {
    floods "reread" /opens reread 16 /lxcfs/proc/stat
}

@test "each open is one of another process" {
    floods "fork and open" /opens fork 16 /lxcfs/proc/meminfo
}

@test "names that do not exist" {
    floods "names below proc" /opens names 16 /lxcfs/proc
    floods "names of CPUs" /opens names 16 /lxcfs/sys/devices/system/cpu/cpu0
}

@test "listings" {
    floods "listings" /opens list 16 /lxcfs/sys/devices/system/cpu \
        /lxcfs/sys/devices/system/cpu/cpu0 /lxcfs/proc
}

@test "attributes and links" {
    floods "attributes" /opens look 16 /lxcfs/proc/meminfo
    floods "links" /opens link 16 /lxcfs/sys/devices/system/cpu/cpu0/node0
}

@test "pressure files: writes that are refused, long lists of groups" {
    has_pressure
    floods "refused writes" /opens write 16 /proc/pressure/cpu
    floods "65,536 groups" /opens grouped 16 /proc/pressure/cpu
}
