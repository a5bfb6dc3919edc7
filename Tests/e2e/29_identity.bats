# Who a container is, its init and its cgroup say, and never a name: neither its id, which another
# runtime or another root of the same one may use as well, nor what it calls its cgroups. And what an
# administrator requires holds: the hook's own deadline, his policy.

load helpers
load hostile

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }

teardown() {
    [[ ! -e $WORK/stopped ]] || xargs kill -CONT <"$WORK/stopped" || true
    rm -f "$WORK/stopped"
    local other
    if [[ -e $WORK/others ]]; then
        while read -r other; do stop_process "$other" || true; done <"$WORK/others"
    fi
    rm -rf "$WORK/others" "$WORK/run3"
    local root id
    for root in "$WORK"/roots/*/*/; do
        [[ -d $root ]] || continue
        while read -rd '' id; do
            root_cmd "$(basename "$(dirname "$root")")" "$(basename "$root")" \
                delete --force "$id" || true
        done < <(find "$root" -mindepth 1 -maxdepth 1 -printf '%f\0')
    done
    rm -rf "$WORK/roots"
    cleanup_containers
}

# root_cmd RUNTIME ROOT ARGUMENT...: the runtime on one of several roots.
root_cmd() {
    mkdir -p "$WORK/roots/$1/$2"
    in_runtime_ns "$1" "$1" --root "$WORK/roots/$1/$2" "${@:3}" 3>&-
}

# start_in RUNTIME ROOT BUNDLE ID
start_in() {
    root_cmd "$1" "$2" run --detach --bundle "$(bundle_of "$3")" --pid-file "$WORK/$3.pid" "$4" \
        </dev/null >"$WORK/$3.log" 2>&1 || { cat "$WORK/$3.log" >&2; return 1; }
}

# total_of BUNDLE: MemTotal as its init reads it; the host's, if the files are not ours.
total_of() { awk '/^MemTotal:/ { print $2 }' "/proc/$(container_pid "$1")/root/proc/meminfo"; }

listed() { "$LXCFSD" list --json --runtime-dir "$WORK/run" | jq -r "$1"; }

# stop_it PID...: with SIGSTOP, until the end of the test.
stop_it() {
    local pid
    for pid; do
        echo "$pid" >>"$WORK/stopped"
        kill -STOP "$pid"
    done
}

kill_worker() {
    local old
    old=$(worker_pid)
    kill -KILL "$old"
    wait_for 10 eval '[[ -n $(worker_pid) && $(worker_pid) != '"$old"' ]]'
    wait_for 10 "$LXCFSD" status --runtime-dir "$WORK/run"
}

# expect BUNDLE=KB...: all of them see their own.
expect() {
    local pair
    for pair; do
        [[ $(total_of "${pair%=*}") == "${pair#*=}" ]] ||
            fail "${pair%=*} has $(total_of "${pair%=*}") kB: $(listed .) $(tail -n 20 "$WORK/lxcfsd.log")"
    done
}

two_twins() {
    make_bundle one -m $((64 << 20))
    make_bundle two -m $((96 << 20))
    start_in "$1" a one twin
    start_in "$1" b two twin
    expect one=65536 two=98304
    [[ $(listed 'map([.id, .name // .id] | join(" ")) | join(",")') == "twin twin,twin~2 twin" ]] ||
        fail "$(listed .)"
    [[ -d $WORK/lxcfs/twin && -d $WORK/lxcfs/twin~2 ]]
}

twins() {
    local runtime=$1 name
    two_twins "$runtime"
    kill_worker
    expect one=65536 two=98304
    # The end of the second one.
    root_cmd "$runtime" b delete --force twin
    expect one=65536
    [[ $(listed 'map(.id) | join(",")') == twin ]] || fail "$(listed .)"
    kill_worker
    expect one=65536
    start_in "$runtime" b two twin
    expect one=65536 two=98304
    # The end of the first one.
    root_cmd "$runtime" a delete --force twin
    expect two=98304
    kill_worker
    expect two=98304
    [[ $(listed length) == 1 ]]
    # The id is free for another one.
    start_in "$runtime" a one twin
    expect one=65536 two=98304
    [[ $(listed 'map(.id) | sort | join(",")') == "twin,twin~2" ]]
    for name in a b; do root_cmd "$runtime" $name delete --force twin; done
    wait_for 5 eval '[[ $(listed length) == 0 ]]'
    [[ -z $(ls "$WORK/run/containers") ]]
    rm -rf "$WORK/bundles"
}

@test "one id in two roots is two containers" { for_each_runtime twins; }

@test "one id in two runtimes is two containers" {
    [[ ${#RUNTIMES[@]} == 2 ]] || skip "needs runc and crun"
    make_bundle one -m $((64 << 20))
    make_bundle two -m $((96 << 20))
    start_in runc a one twin
    start_in crun a two twin
    kill_worker
    expect one=65536 two=98304
    root_cmd crun a delete --force twin
    kill_worker
    expect one=65536
}

failed_start() {
    local runtime=$1
    make_bundle one -m $((64 << 20))
    start_in "$runtime" a one twin
    # After the container has been registered.
    make_bundle two -m $((96 << 20))
    set_config two '.hooks.createRuntime += [{path: "/bin/false"}]'
    run ! start_in "$runtime" b two twin
    expect one=65536
    kill_worker
    expect one=65536
    wait_for 5 eval '[[ $(listed "map(.id) | join(\",\")") == twin ]]' || fail "$(listed .)"
    root_cmd "$runtime" a delete --force twin
    root_cmd "$runtime" b delete --force twin || true
    rm -rf "$WORK/bundles"
}

@test "a failed start of an id leaves the one that has it alone" { for_each_runtime failed_start; }

# A process in a mount and pid namespace of its own, which nobody has registered.
stranger() {
    unshare --mount --pid --fork --propagation private --kill-child sleep 1000 \
        >/dev/null 2>&1 3>&- &
    echo $! >>"$WORK/others"
    wait_for 5 pgrep -P $!
    STRANGER=$(pgrep -P $!)
}

@test "a registration is withdrawn, and not that of another one with its id" {
    make_bundle one -m $((64 << 20))
    start_in "${RUNTIMES[0]}" a one twin
    make_bundle two
    stranger
    # It has no /proc where its bundle says.
    run -1 "$LXCFS_HOOK" createRuntime --required --runtime-dir "$WORK/run" --no-syslog <<<"{
        \"ociVersion\": \"1.0.2\", \"id\": \"twin\", \"status\": \"creating\",
        \"pid\": $STRANGER, \"bundle\": \"$(bundle_of two)\"}"
    [[ $(listed 'map(.id) | join(",")') == twin ]] || fail "$output $(listed .)"
    expect one=65536
    kill_worker
    expect one=65536
}

# poststop_of BUNDLE [ID]: as a runtime calls it.
poststop_of() {
    "$LXCFS_HOOK" poststop --runtime-dir "$WORK/run" --no-syslog <<<"{
        \"ociVersion\": \"1.0.2\", \"id\": \"${2-twin}\", \"status\": \"stopped\",
        \"bundle\": \"$(bundle_of "$1")\"}"
}

@test "poststop, more than once, of another one, of nobody, too early" {
    local runtime=${RUNTIMES[0]} bundle
    two_twins "$runtime"
    for bundle in one two nobody; do poststop_of "$bundle"; poststop_of "$bundle"; done
    poststop_of one someone
    sleep 1
    [[ $(listed length) == 2 ]]
    kill_worker
    expect one=65536 two=98304
    # It has been killed, and its end is told at once.
    kill -KILL "$(container_pid one)"
    poststop_of one
    wait_for 5 eval '[[ $(listed "map(.id) | join(\",\")") == "twin~2" ]]' || fail "$(listed .)"
    expect two=98304
}

# moved_into PID NAME: moves a process into a cgroup below its own, in all hierarchies.
moved_into() {
    local line path base
    while IFS=: read -r _ line path; do
        [[ $path == "$E2E_CGROUP"/* ]] || continue
        base=/sys/fs/cgroup
        [[ -n $line ]] && base+=/${line#name=}
        [[ -z $line && -d /sys/fs/cgroup/unified ]] && base+=/unified
        mkdir -p "$base$path/$2"
        if [[ -e $base$path/$2/cpuset.mems && $line == *cpuset* ]]; then
            cat "$base$path/cpuset.mems" >"$base$path/$2/cpuset.mems"
            cat "$base$path/cpuset.cpus" >"$base$path/$2/cpuset.cpus"
        fi
        echo "$1" >"$base$path/$2/cgroup.procs"
    done <"/proc/$1/cgroup"
}

@test "a container calls a cgroup of its own like another container" {
    local runtime=${RUNTIMES[0]} victim pid
    victim=$(printf '%064x' 4711)
    make_bundle one -m $((64 << 20))
    start_in "$runtime" a one "$victim"
    make_bundle liar -n -m $((96 << 20))
    start_container "$runtime" liar
    pid=$(container_pid liar)
    moved_into "$pid" "$victim"
    run -0 "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog
    expect one=65536 liar=98304
    kill_worker
    expect one=65536 liar=98304
    # Once more: it is the same container, whatever its cgroup is called by now.
    moved_into "$pid" deeper
    run -0 "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog
    [[ $(listed length) == 2 ]] || fail "$(listed .)"
    expect one=65536 liar=98304
    run -0 "$LXCFS_HOOK" detach "$pid" --runtime-dir "$WORK/run" --no-syslog
    [[ $(listed 'map(.id) | join(",")') == "$victim" ]] || fail "$(listed .)"
    expect one=65536
    kill_worker
    expect one=65536
}

@test "a container that is called like the cgroup of an init" {
    make_bundle one -m $((64 << 20))
    set_config one '.linux.cgroupsPath = $path' --arg path "$E2E_CGROUP/init.scope"
    start_container "${RUNTIMES[0]}" one
    expect one=65536
}

odd_ids() {
    local runtime=$1 id long
    long=$(printf 'x%.0s' {1..255})
    for id in .foo proc sys .opens "${long:0:250}" "$long" "${long:0:249}"; do
        make_bundle one -m $((64 << 20))
        # runc and crun refuse some of these themselves; then nobody has such a container.
        if ! start_in "$runtime" a one "$id" 2>"$WORK/odd.log"; then
            grep -q "lxcfs-hook" "$WORK/odd.log" && fail "$(<"$WORK/odd.log")"
            rm -rf "$WORK/bundles"
            continue
        fi
        expect one=65536
        [[ $(listed 'map(.name // .id) | join(",")') == "$id" ]] || fail "$id: $(listed .)"
        kill_worker
        expect one=65536
        [[ -d $WORK/lxcfs/proc && -d $WORK/lxcfs/sys ]]
        root_cmd "$runtime" a delete --force "$id"
        wait_for 5 eval '[[ $(listed length) == 0 ]]'
        [[ -z $(ls -A "$WORK/run/containers") ]] || fail "$(ls -A "$WORK/run/containers")"
        rm -rf "$WORK/bundles"
        echo "# $runtime: ${id:0:20} (${#id})"
    done
}

@test "ids that cannot be file names" { for_each_runtime odd_ids; }

@test "ids with control characters" {
    local runtime id
    for runtime in "${RUNTIMES[@]}"; do
        for id in $'a\nb' $'\tx\x7f' $'a\x1b[2J' ü; do
            make_bundle one -m $((64 << 20))
            # runc refuses them; then nobody has such a container.
            if ! start_in "$runtime" a one "$id" 2>"$WORK/odd.log"; then
                run ! grep -q "lxcfs-hook" "$WORK/odd.log"
                rm -rf "$WORK/bundles"
                continue
            fi
            echo "# $runtime: $(printf %q "$id")"
            expect one=65536
            kill_worker
            expect one=65536
            [[ $(listed 'map(.name // .id) | join(",")') == "$id" ]] || fail "$(listed .)"
            # Neither a list nor a log has a line that is not the daemon's.
            [[ $("$LXCFSD" list --runtime-dir "$WORK/run" | wc -l) == 2 ]]
            run ! grep -aqP '[\x00-\x08\x0b-\x1f\x7f]|^b' "$WORK/lxcfsd.log"
            root_cmd "$runtime" a delete --force "$id"
            wait_for 5 eval '[[ $(listed length) == 0 ]]'
            rm -rf "$WORK/bundles"
        done
    done
}

# --- The freezer. ---

# freezer_of PATH: the file that says whether a cgroup is frozen.
freezer_of() {
    if [[ -d /sys/fs/cgroup/freezer ]]; then
        echo "/sys/fs/cgroup/freezer$1/freezer.state"
    else
        echo "/sys/fs/cgroup$1/cgroup.freeze"
    fi
}

# says_frozen FILE: without another process, which may take longer than a container is frozen.
says_frozen() {
    local state
    read -r state <"$1" || return 1
    [[ $state != THAWED && $state != 0 ]]
}

# other_daemon: serves $WORK/other, for what must not hang together with the daemon under test.
other_daemon() {
    mkdir -p "$WORK/other"
    "$LXCFSD" --runtime-dir "$WORK/run2" "$WORK/other" >"$WORK/other.log" 2>&1 3>&- &
    OTHER=$!
    echo $OTHER >>"$WORK/others"
    wait_for 5 cat "$WORK/other/proc/uptime"
}

# A container with a writable cgroup: its init, another process, and one that cannot be frozen,
# because it waits for a FUSE server that is stopped, are in three cgroups below its own.
spread_out() {
    make_bundle wide -n -m $((96 << 20)) \
        'sleep 1000 & while ! test -e /tmp/go; do sleep 0.01; done; touch /tmp/gone; read -r line </host/uptime & wait'
    set_config wide '.mounts += [{destination: "/host", type: "bind", source: $source,
            options: ["rbind"]}]' --arg source "$WORK/other/proc"
    start_container "${RUNTIMES[0]}" wide
    PID=$(container_pid wide)
    stop_it "$(worker_of "$OTHER")"
    touch "/proc/$PID/root/tmp/go"
    wait_for 5 test -e "/proc/$PID/root/tmp/gone"
    wait_for 5 eval '[[ $(pgrep -cP $PID) == 2 ]]'
    wait_for 5 finds_the_stuck_one
    moved_into "$THIRD" third
    moved_into "$SECOND" second
    moved_into "$PID" first
    FREEZER=$(freezer_of "$E2E_CGROUP/wide")
}

# Which child of the init is which: one waits for the server, the other one does not.
finds_the_stuck_one() {
    local child
    THIRD="" SECOND=""
    for child in $(pgrep -P "$PID"); do
        if grep -q request_wait "/proc/$child/wchan"; then THIRD=$child; else SECOND=$child; fi
    done
    [[ -n $THIRD && -n $SECOND ]]
}

@test "the whole cgroup of a container is frozen while files are mounted" {
    local attach second
    other_daemon
    spread_out
    second=$(freezer_of "$E2E_CGROUP/wide/second")
    run "$LXCFS_HOOK" attach "$PID" --runtime-dir "$WORK/run" --no-syslog
    [[ $status == 1 && $output == *"do not freeze"* ]] || fail "$status: $output"
    ! says_frozen "$FREEZER"
    # While it waits for the third one, the second one does not run.
    "$LXCFS_HOOK" attach "$PID" --runtime-dir "$WORK/run" --no-syslog 3>&- &
    attach=$!
    until says_frozen "$FREEZER"; do kill -0 "$attach"; done
    if [[ -e $second && $second == *freezer.state ]]; then says_frozen "$second"; fi
    # Thawed also when it is killed.
    kill -KILL "$attach"
    wait_for 5 eval '! says_frozen "$FREEZER"'
    ! says_frozen "$second"
    kill -KILL "$THIRD"
    xargs kill -CONT <"$WORK/stopped"
    wait_for 5 is_gone "$THIRD"
    run -0 "$LXCFS_HOOK" attach "$PID" --runtime-dir "$WORK/run" --no-syslog --log-level debug
    [[ $output != *"not frozen"* ]]
    expect wide=98304
    ! says_frozen "$FREEZER"
    # Whoever has paused it below the cgroup that is frozen finds it as it was.
    runtime_cmd "${RUNTIMES[0]}" pause wide
    run -0 "$LXCFS_HOOK" attach "$PID" --runtime-dir "$WORK/run" --no-syslog
    says_frozen "$FREEZER"
    runtime_cmd "${RUNTIMES[0]}" resume wide
}

@test "attaches that come together take turns" {
    local pid i
    make_bundle turns -n -m $((96 << 20))
    start_container "${RUNTIMES[0]}" turns
    pid=$(container_pid turns)
    for i in $(seq 12); do
        "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog >"$WORK/turn.$i" 2>&1 3>&- &
        echo $! >>"$WORK/turns"
    done
    for i in $(seq 12); do
        # On a busy machine a process may take longer than a second to stop. That is said, and no fault.
        wait "$(sed -n "${i}p" "$WORK/turns")" || grep -q "do not freeze" "$WORK/turn.$i" ||
            fail "$(cat "$WORK"/turn.*)"
    done
    grep -q "of them replaced$" "$WORK"/turn.*
    expect turns=98304
    # None lies on another one.
    [[ -z $(awk '/ - fuse/ { print $5 }' "/proc/$pid/mountinfo" | sort | uniq -d) ]]
    run ! says_frozen "$(freezer_of "$E2E_CGROUP/turns")"
    [[ $(listed length) == 1 ]]
}

# A container whose root is a filesystem of its own: its server is frozen with it, so that lookups of
# the hook's have no end.
own_root() {
    attack_bundle "$1" attack_agent -n -m $((96 << 20)) \
        'until test -e /go; do sleep 0.01; done; exec /attack_agent fuse /'
    set_config "$1" '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])
        | .linux.resources.devices = [{allow: true, access: "rwm"}]'
    start_container "${RUNTIMES[0]}" "$1"
    touch "/proc/$(container_pid "$1")/root/go"
    wait_for 5 grep -q " / / .* - fuse hanging" "/proc/$(container_pid "$1")/mountinfo"
}

@test "a container whose files lead to its own server: it does not stay frozen, nor keep others waiting" {
    local pid hook
    own_root trap
    pid=$(container_pid trap)
    make_bundle other -m $((64 << 20))
    start_container "${RUNTIMES[0]}" other
    SECONDS=0
    "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog >"$WORK/trap.log" 2>&1 3>&- &
    hook=$!
    # Another one gets its turn.
    sleep 0.3
    run -0 "$LXCFS_HOOK" attach "$(container_pid other)" --runtime-dir "$WORK/run" --no-syslog
    wait "$hook" && fail "attached"
    ((SECONDS < 30 * ${E2E_PATIENCE:-1})) || fail "after $SECONDS s: $(<"$WORK/trap.log")"
    wait_for 5 eval '! says_frozen "$(freezer_of "$E2E_CGROUP/trap")"'
    expect other=65536
    echo "# $SECONDS s: $(<"$WORK/trap.log")"
    # Nothing of the hook is left.
    wait_for 5 eval '! pgrep -f "lxcfs-hook attach $pid"'
}

@test "more cgroups than can be looked at" {
    local pid base
    make_bundle many -n -m $((96 << 20))
    start_container "${RUNTIMES[0]}" many
    pid=$(container_pid many)
    moved_into "$pid" first
    base=$(dirname "$(freezer_of "$E2E_CGROUP/many")")
    for i in $(seq 1 3000); do mkdir "$base/$i"; done
    SECONDS=0
    run "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog
    ((SECONDS < 6 * ${E2E_PATIENCE:-1}))
    [[ $status == 0 || $output == *"too many cgroups"* ]] || fail "$status $output"
    find "$base" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' -exec rmdir {} +
}

@test "10,000 mounts of a container" {
    local pid
    make_bundle mounts -n -m $((96 << 20))
    start_container "${RUNTIMES[0]}" mounts
    pid=$(container_pid mounts)
    # Each round doubles them.
    nsenter -t "$pid" -m sh -c 'mount -t tmpfs tmpfs /tmp && mkdir /tmp/a && mount -t tmpfs tmpfs /tmp/a
        for i in $(seq 13); do mkdir -p /tmp/b$i && mount --rbind /tmp/a /tmp/b$i &&
            mkdir /tmp/a/$i && mount --rbind /tmp/b$i /tmp/a/$i || break; done' || true
    (($(wc -l <"/proc/$pid/mountinfo") > 10000)) || fail "$(wc -l <"/proc/$pid/mountinfo")"
    SECONDS=0
    run -0 "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog
    ((SECONDS < 5 * ${E2E_PATIENCE:-1}))
    expect mounts=98304
    run -0 "$LXCFS_HOOK" detach "$pid" --runtime-dir "$WORK/run" --no-syslog
}

# --- The hook's own deadline. ---

host_total() { awk '/^MemTotal:/ { print $2 }' /proc/meminfo; }

# has_no_files BUNDLE: nothing of FUSE is mounted in it.
has_no_files() { ! grep -q " - fuse" "/proc/$(container_pid "$1")/mountinfo"; }

# starts_without RUNTIME BUNDLE SECONDS: with the host's files, before that.
starts_without() {
    local begin=${EPOCHREALTIME/./}
    start_in "$1" a "$2" "$2"
    ((${EPOCHREALTIME/./} - begin < $3 * 1000000 * ${E2E_PATIENCE:-1})) || fail "too late"
    has_no_files "$2"
    [[ $(total_of "$2") == "$(host_total)" ]]
}

waits_no_longer() {
    local runtime=$1
    make_bundle late
    for process in worker both; do
        stop_it "$(worker_pid)"
        [[ $process == worker ]] || stop_it "$(daemon_pid)"
        starts_without "$runtime" late 7
        grep -q "warning: .*lxcfsd" "$WORK/late.log" || true
        # So does its end.
        begin=${EPOCHREALTIME/./}
        root_cmd "$runtime" a delete --force late
        ((${EPOCHREALTIME/./} - begin < 7000000 * ${E2E_PATIENCE:-1})) || fail "too late"
        xargs kill -CONT <"$WORK/stopped"
        rm "$WORK/stopped"
        wait_for 15 "$LXCFSD" status --runtime-dir "$WORK/run"
    done
    # Who requires the files does not start, and not later either.
    add_hooks late --required
    stop_it "$(worker_pid)"
    begin=${EPOCHREALTIME/./}
    run ! start_in "$runtime" a late late
    ((${EPOCHREALTIME/./} - begin < 7000000 * ${E2E_PATIENCE:-1})) || fail "too late"
    xargs kill -CONT <"$WORK/stopped"
    rm "$WORK/stopped"
    wait_for 15 "$LXCFSD" status --runtime-dir "$WORK/run"
    rm -rf "$WORK/bundles"
}

@test "a daemon that is stopped: containers start without it" { for_each_runtime waits_no_longer; }

# A control socket that names a directory of a tree whose server is stopped: no signal ends a lookup
# that the server has taken up.
false_daemon() {
    mkdir -p "$WORK/run3"
    python3 - "$WORK/run3/control.sock" "$1" <<'PYTHON' 3>&- &
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
while True:
    c, _ = s.accept()
    request = json.loads(c.makefile().readline())
    c.sendall(json.dumps({"path": sys.argv[2]} if request["op"] == "register" else {}).encode() + b"\n")
    c.close()
PYTHON
    echo $! >>"$WORK/others"
    wait_for 5 test -S "$WORK/run3/control.sock"
}

@test "a lookup that nobody answers: the container starts without" {
    local runtime
    other_daemon
    false_daemon "$WORK/run2/tree/nobody"
    for runtime in "${RUNTIMES[@]}"; do
        make_bundle hang
        set_config hang '.hooks |= map_values(map(.args[3] = $run))' --arg run "$WORK/run3"
        stop_it "$(worker_of "$OTHER")"
        starts_without "$runtime" hang 7
        root_cmd "$runtime" a delete --force hang
        add_hooks hang --required --timeout 1
        set_config hang '.hooks |= map_values(map(.args[3] = $run))' --arg run "$WORK/run3"
        begin=${EPOCHREALTIME/./}
        run ! start_in "$runtime" a hang hang
        ((${EPOCHREALTIME/./} - begin < 4000000 * ${E2E_PATIENCE:-1})) || fail "too late"
        root_cmd "$runtime" a delete --force hang || true
        xargs kill -CONT <"$WORK/stopped"
        rm "$WORK/stopped"
        rm -rf "$WORK/bundles"
    done
    rm -rf "$WORK/run3"
}

@test "the deadline, by hand: what the hook says and how it ends" {
    local stage state
    other_daemon
    false_daemon "$WORK/run2/tree/nobody"
    make_bundle one
    stranger
    stop_it "$(worker_of "$OTHER")"
    state="{\"ociVersion\": \"1.0.2\", \"id\": \"x\", \"status\": \"creating\",
        \"pid\": $STRANGER, \"bundle\": \"$(bundle_of one)\"}"
    run -0 "$LXCFS_HOOK" createRuntime --timeout 0.5 --runtime-dir "$WORK/run3" \
        --no-syslog <<<"$state"
    [[ $output == *"warning: x: not done within 0.5 s (--timeout), looking up"*"lxcfs-hook attach"* ]]
    run -4 "$LXCFS_HOOK" createRuntime --required --timeout 0.5 --runtime-dir "$WORK/run3" \
        --no-syslog <<<"$state"
    [[ $output == *"error: x: not done within"* ]]
    run -4 "$LXCFS_HOOK" attach "$STRANGER" --timeout 0.5 --runtime-dir "$WORK/run3" --no-syslog
    # precreate gives back what it got.
    for stage in "" --required; do
        run "$LXCFS_HOOK" precreate $stage --timeout 0.5 --runtime-dir "$WORK/run" \
            --no-syslog <"$(bundle_of one)/config.json"
        [[ $status == 0 ]]
    done
    rm -rf "$WORK/run3"
}

# hook_that BUNDLE INJECTION [HOOK-OPTION...]: its createRuntime hook is disturbed by strace(1).
hook_that() {
    set_config "$1" '.hooks.createRuntime[0] |= (.path = "/bin/sh" | .args = ["sh", "-c", $text])' \
        --arg text "exec $(command -v strace) -f -o /dev/null -e trace=move_mount \
            -e inject=move_mount:$2 $LXCFS_HOOK createRuntime ${*:3} --runtime-dir $WORK/run"
}

@test "what is half mounted is taken back" {
    needs_command strace
    local runtime injection
    for runtime in "${RUNTIMES[@]}"; do
        # Killed between two files, or stopped there beyond the deadline.
        for injection in "signal=KILL:when=4" "signal=STOP:when=4"; do
            make_bundle half
            hook_that half "$injection" --timeout 1
            starts_without "$runtime" half 7
            root_cmd "$runtime" a delete --force half
            rm -rf "$WORK/bundles"
        done
    done
    # Required: it does not start.
    make_bundle half
    hook_that half "signal=KILL:when=4" --required
    run ! start_in "${RUNTIMES[0]}" a half half
    root_cmd "${RUNTIMES[0]}" a delete --force half || true
    [[ $(listed length) == 0 ]]
}

# --- The administrator. ---

@test "what is required cannot be undone by annotations" {
    local runtime
    for runtime in "${RUNTIMES[@]}"; do
        make_bundle one -m $((64 << 20))
        add_hooks one --required
        set_config one '.annotations += {"io.lxcfs-hook.enable": "false",
            "io.lxcfs-hook.files": "swaps", "io.lxcfs-hook.cpus": "cpuset"}'
        start_in "$runtime" a one one
        expect one=65536
        root_cmd "$runtime" a delete --force one
        rm -rf "$WORK/bundles"
    done
}

@test "the administrator's policy" {
    local policy=$WORK/policy/policy.json
    mkdir -p "$WORK/policy"
    echo '{"required": true, "annotations": ["io.lxcfs-hook.files"]}' >"$policy"
    make_bundle one -m $((64 << 20))
    add_hooks one --policy "$policy"
    set_config one '.annotations += {"io.lxcfs-hook.enable": "false"}'
    start_in "${RUNTIMES[0]}" a one one
    expect one=65536
    root_cmd "${RUNTIMES[0]}" a delete --force one
    # What it lists counts.
    set_config one '.annotations += {"io.lxcfs-hook.files": "swaps"}'
    start_in "${RUNTIMES[0]}" a one one
    expect one="$(host_total)"
    root_cmd "${RUNTIMES[0]}" a delete --force one
    # One that others can write is none.
    chmod o+w "$policy"
    run ! start_in "${RUNTIMES[0]}" a one one
    run -2 "$LXCFS_HOOK" auto --policy "$policy" --no-syslog </dev/null
    [[ $output == *"chmod go-w"* ]]
    run -1 "$LXCFS_HOOK" check --policy "$policy" --runtime-dir "$WORK/run"
    [[ $output == *"FAIL"*"$policy"* ]]
    chmod o-w "$policy"
    run "$LXCFS_HOOK" check --policy "$policy" --runtime-dir "$WORK/run"
    [[ $output == *"ok  "*"$policy"* ]]
}

@test "what the policy does not excuse" {
    local policy=$WORK/policy/policy.json way
    mkdir -p "$WORK/policy"
    for way in '.linux |= (.maskedPaths = [] | .readonlyPaths = [])' '.linux.namespaces |= map(select(.type != "pid"))'; do
        make_bundle one -m $((64 << 20))
        add_hooks one --policy "$policy"
        set_config one "$way"
        echo '{"required": true}' >"$policy"
        start_in "${RUNTIMES[0]}" a one one
        expect one="$(host_total)"
        root_cmd "${RUNTIMES[0]}" a delete --force one
        echo '{"required": true, "excuses": ["own-mounts"]}' >"$policy"
        start_in "${RUNTIMES[0]}" a one one
        expect one=65536
        root_cmd "${RUNTIMES[0]}" a delete --force one
        rm -rf "$WORK/bundles"
    done
    make_bundle one -m $((64 << 20))
    add_hooks one --policy "$policy"
    set_config one '.mounts += [{destination: "/proc/meminfo", type: "bind",
        source: "/proc/meminfo", options: ["bind"]}]'
    start_in "${RUNTIMES[0]}" a one one
    root_cmd "${RUNTIMES[0]}" a delete --force one
    echo '{"required": true, "excuses": []}' >"$policy"
    run ! start_in "${RUNTIMES[0]}" a one one
    run "$LXCFS_HOOK" check --policy "$policy" --runtime-dir "$WORK/run"
    [[ $output == *"excuses: none"* ]] || fail "$output"
}

@test "a policy whose way others decide about, and one that a user's own hook meets" {
    local policy=$WORK/theirs/policy/policy.json state
    mkdir -p "$WORK/theirs/policy"
    ln -s theirs/policy "$WORK/way"
    echo '{"annotations": []}' >"$policy"
    make_bundle one
    stranger
    state="{\"ociVersion\": \"1.0.2\", \"id\": \"x\", \"status\": \"creating\",
        \"pid\": $STRANGER, \"bundle\": \"$(bundle_of one)\"}"
    for place in "$policy" "$WORK/way/policy.json"; do
        chown 1234 "$WORK/theirs"
        run -2 "$LXCFS_HOOK" createRuntime --policy "$place" --runtime-dir "$WORK/run" \
            --no-syslog <<<"$state"
        [[ $output == *"go-w $WORK/theirs"* ]] || fail "$output"
        chown 0 "$WORK/theirs"
        run -0 "$LXCFS_HOOK" createRuntime --policy "$place" --runtime-dir "$WORK/run" \
            --no-syslog <<<"$state"
    done
    # Rootless: files of root are nobody's there, and what only root may read binds nobody.
    cp "$LXCFS_HOOK" "$WORK/theirs/hook"
    chmod 755 "$WORK/theirs/hook" "$WORK" "${WORK%/*}" "${WORK%/*/*}" "${WORK%/*/*/*}"
    for mode in 644 600; do
        chmod $mode "$policy"
        for rootless in "" "unshare -Ur"; do
            # shellcheck disable=SC2086 # words
            run -0 setpriv --reuid 1234 --clear-groups $rootless "$WORK/theirs/hook" createRuntime \
                --policy "$policy" --runtime-dir "$WORK/run" --no-syslog <<<"$state"
        done
    done
}

@test "long annotations" {
    local runtime
    for runtime in "${RUNTIMES[@]}"; do
        # runc holds all of it within the container's limit.
        make_bundle one -m $((256 << 20))
        head -c 1200000 /dev/zero | tr '\0' x >"$WORK/long"
        set_config one '.annotations.long = $long' --rawfile long "$WORK/long"
        start_in "$runtime" a one one
        expect one=262144
        root_cmd "$runtime" a delete --force one
        # More than is looked at.
        head -c 20000000 /dev/zero | tr '\0' x >"$WORK/long"
        set_config one '.annotations.long = $long' --rawfile long "$WORK/long"
        start_in "$runtime" a one one
        root_cmd "$runtime" a delete --force one
        rm -rf "$WORK/bundles"
    done
}

@test "attach --all goes on behind a container that holds it up" {
    local pid
    attack_bundle trap attack_agent -m $((96 << 20)) \
        'until test -e /go; do sleep 0.01; done; exec /attack_agent fuse /'
    set_config trap '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])
        | .linux.resources.devices = [{allow: true, access: "rwm"}]'
    start_container "${RUNTIMES[0]}" trap
    make_bundle other -m $((64 << 20))
    start_container "${RUNTIMES[0]}" other
    pid=$(container_pid trap)
    touch "/proc/$pid/root/go"
    wait_for 5 grep -q " / / .* - fuse hanging" "/proc/$pid/mountinfo"
    # Without a service manager all mounts are dead then.
    kill -KILL "$(daemon_pid)"
    wait_for 5 is_gone "$(daemon_pid)"
    umount -l "$WORK/lxcfs"
    umount -R -l "$WORK/run/tree"
    start_daemon
    SECONDS=0
    run -1 "$LXCFS_HOOK" attach --all --runtime-dir "$WORK/run" --no-syslog
    ((SECONDS < 20 * ${E2E_PATIENCE:-1})) || fail "after $SECONDS s"
    [[ $output == *"error: trap: "*"1 of 2 containers attached anew"* ]] || fail "$output"
    expect other=65536
    run ! says_frozen "$(freezer_of "$E2E_CGROUP/trap")"
}
