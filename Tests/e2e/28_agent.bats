# What a container does to the seccomp agent, and what its neighbours notice (sysinfo(2), and the
# files beside it).

load helpers
load hostile

PROGRAMS=$REPO/.build/programs
SOCKET=$WORK/run/seccomp.sock
MEMORY=$((128 << 20))

setup_file() {
    [[ -x $PROGRAMS/attack_agent ]] || skip "needs gcc"
    start_daemon
    meet_neighbour sysinfo /proc/meminfo /proc/loadavg
}

teardown_file() {
    leave_neighbour
    stop_daemon
}

teardown() { stop_attacks; }

# precreate NAME [OPTION...]: changes the bundle's config.json as podman has it changed.
precreate() {
    local config
    config=$(bundle_of "$1")/config.json
    "$LXCFS_HOOK" precreate --no-syslog --runtime-dir "$WORK/run" "${@:2}" \
        <"$config" >"$config.new" && mv "$config.new" "$config"
}

# All containers of this file have their calls answered.
eval "plain_$(declare -f start_container)"
start_container() {
    precreate "$2" --sysinfo --affinity
    plain_start_container "$@"
}

# The neighbour calls as a process of its container does.
ask_neighbour() {
    local files
    mapfile -t files <"$WORK/neighbour.files"
    exec_container "${RUNTIMES[0]}" neighbour /neighbour "$1" "${files[@]}" 3>&-
}

status() { "$LXCFSD" status --json --runtime-dir "$WORK/run" | jq ".$1"; }
listeners_are() { [[ $(status listeners) == "$1" ]]; }
agent_threads() { cat "/proc/$(worker_pid)"/task/*/comm | grep -c '^agent$'; }
agent_threads_are() { [[ $(agent_threads) == "$1" ]]; }

# cpu_time: what the worker has used, in ms.
cpu_time() {
    awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) * 1000 / tick) }' \
        "/proc/$(worker_pid)/stat"
}

# in_background NAME COMMAND...: a process with a listener of its own.
in_background() {
    runtime_cmd "${RUNTIMES[0]}" exec --detach "$@" </dev/null >/dev/null 2>&1 3>&-
}

# The answers that the neighbour gets are its own.
neighbour_sees_itself() {
    cp "$PROGRAMS/sysinfo" "$(bundle_of neighbour)/rootfs/bin"
    run -0 exec_container "${RUNTIMES[0]}" neighbour sh -c \
        'for i in $(seq 50); do sysinfo pages; done'
    [[ $(sort -u <<<"$output") == "$MEMORY" && ${#lines[@]} == 50 ]] || fail "$output"
}

# calling_loops TITLE MODE: eight listeners of one container call in a loop.
calling_loops() {
    local i before
    attack_bundle loops attack_agent -q 50000
    attack loops
    for ((i = 0; i < 8; i++)); do
        in_background loops sh -c "/attack_agent $2 4 $((9 * ${E2E_PATIENCE:-1})) >>/calls"
    done
    before=$(cpu_time)
    under_attack "$1" 5
    before=$(($(cpu_time) - before))
    neighbour_sees_itself
    wait_for 20 eval '[[ $(wc -l <"$(bundle_of loops)/rootfs/calls") == 8 ]]'
    echo "# $1: $(awk '{ sum += $1 } END { print sum }' "$(bundle_of loops)/rootfs/calls") calls," \
        "the worker used $before ms" >&3
    # 64 in 10 ms, of all together.
    awk '{ sum += $1 } END { exit !(sum > 0 && sum < 6400 * 10) }' \
        "$(bundle_of loops)/rootfs/calls" || fail "too many calls"
    # A fifth of a CPU for it, and something for the neighbour, who is measured for 5 s and starts
    # containers meanwhile.
    [[ ${HOSTILE_STRICT:-0} != 1 ]] || ((before < 3000)) || fail "it used $before ms"
    stop_attacks
    all_given_back "$1"
    wait_for 5 agent_threads_are 3
}

@test "several listeners of one container call in a loop" {
    calling_loops "sysinfo in a loop" sysinfo
}

@test "several listeners of one container ask for their own affinity" {
    calling_loops "sched_getaffinity in a loop" affinity
}

# hold NAME COUNT: a container whose callers' memory lies on a filesystem of its own, which hangs.
hold() {
    local i
    attack_bundle "$1" attack_agent /attack_agent fuse /tmp/hanging
    set_config "$1" '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])
        | .linux.resources.devices = [{allow: true, access: "rwm"}]'
    attack "$1"
    wait_for 5 exec_container "${RUNTIMES[0]}" "$1" test -e /tmp/hanging/page
    for ((i = 0; i < $2; i++)); do
        in_background "$1" /attack_agent into /tmp/hanging/page "$i"
    done
}

@test "callers of several containers whose memory never comes" {
    local i each=15 worker
    worker=$(worker_pid)
    for ((i = 0; i < 6; i++)); do
        hold "hold$i" "$each"
    done
    wait_for 5 listeners_are $((6 * (each + 1) + 1))
    echo "# memory that never comes: $(agent_threads) threads" >&3
    # Two for each container, three that answer, and some that have just been needed.
    (($(agent_threads) <= 6 * 2 + 6)) || fail "$(agent_threads) threads"
    under_attack "memory that never comes" 5
    neighbour_sees_itself
    # The next worker goes on, though this one cannot end.
    kill -KILL "$worker"
    wait_for 5 eval '[[ -n $(worker_pid) && $(worker_pid) != "$worker" ]]'
    wait_for 5 eval '[[ $(status listeners) -gt 6 ]]'
    neighbour_sees_itself
    stop_attacks
    all_given_back "memory that never comes"
    wait_for 5 agent_threads_are 3
    wait_for 5 listeners_are 1
}

@test "connections and descriptors of a client that is root" {
    local before said most
    before=$(grep -c seccomp "$WORK/lxcfsd.log" || true)
    "$PROGRAMS/attack_agent" flood "$SOCKET" 150 1000 9 3>&- &
    local flood=$!
    "$PROGRAMS/attack_agent" idle "$SOCKET" 300 9 3>&- &
    local idle=$!
    sleep 1
    under_attack "a flood of connections" 5
    neighbour_sees_itself
    most=$(daemon_descriptors)
    said=$(($(grep -c seccomp "$WORK/lxcfsd.log") - before))
    echo "# a flood of connections: $most descriptors, $said lines" >&3
    # 256 connections, 2,048 listeners of who names no container, in two processes.
    ((most - $(<"$WORK/quiet.descriptors") < 256 + 32 * 16 + 2 * 2048 + 64)) || fail "$most"
    # Each kind of line once in ten seconds.
    ((said < 30)) || fail "$said lines" "$(tail -n 5 "$WORK/lxcfsd.log")"
    wait $flood $idle
    all_given_back "a flood of connections"
    wait_for 15 listeners_are 1
}

@test "a call that nobody has allowed is not carried out" {
    run -0 "$PROGRAMS/attack_agent" other "$SOCKET"
    [[ $output == 38 ]] || fail "$output"
}

# A profile with rules for an agent that it does not name.
foreign_profile() {
    make_bundle foreign true
    set_config foreign '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}'
    if (($# > 0)); then set_config foreign "$@"; fi
    cp "$(bundle_of foreign)/config.json" "$WORK/foreign.json"
    precreate foreign --sysinfo --affinity
    cmp "$(bundle_of foreign)/config.json" "$WORK/foreign.json" || fail "it was changed"
    run "$LXCFS_HOOK" precreate --sysinfo --required --no-syslog --runtime-dir "$WORK/run" \
        <"$WORK/foreign.json"
    [[ $status == 1 ]] || fail "$status $output"
}

@test "a profile that is meant for another agent is left alone" {
    foreign_profile
    # runc does not start it without an agent, and not with us.
    if [[ ${RUNTIMES[0]} == *runc ]]; then
        run run_container "${RUNTIMES[0]}" foreign
        [[ $status != 0 && $output == *istener* ]] || fail "$status: $output"
    fi
    foreign_profile '.annotations["run.oci.seccomp.receiver"] = "/run/other.sock"'
    foreign_profile '.annotations["run.oci.seccomp.receiver"] = "/run/other.sock"
        | .linux.seccomp.syscalls = []'
    foreign_profile '.linux.seccomp |= {defaultAction, listenerMetadata: "theirs"}'
    foreign_profile '.linux.seccomp |= {defaultAction,
        flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}'
    # runc takes no notice of case, nor of letters that are only similar.
    foreign_profile '.linux.Seccomp = .linux.seccomp | del(.linux.seccomp)'
    foreign_profile '.linux.seccomp |= {defaultAction, "\u017fyscalls": .syscalls}'
    foreign_profile '.linux.seccomp.syscalls = [{names: ["mkdir"], action: "SCMP_ACT_ERRNO",
        "name\u017f": ["sysinfo"]}]'
    # The environment says it, too.
    make_bundle foreign true
    RUN_OCI_SECCOMP_RECEIVER=/run/other.sock precreate foreign --sysinfo
    [[ $(jq .linux.seccomp "$(bundle_of foreign)/config.json") == null ]]
}
