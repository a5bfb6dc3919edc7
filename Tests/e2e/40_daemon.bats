# The daemon's own life: what it serves, what it forgets, and how it ends.

load helpers

setup() { start_daemon; }

teardown() {
    # A second daemon of a test that failed, whose worker may be stopped.
    local file
    for file in other.worker other.pid; do
        [[ ! -e $WORK/$file ]] || kill -KILL "$(cat "$WORK/$file")" 2>/dev/null || true
        rm -f "$WORK/$file"
    done
    cleanup_containers
    stop_daemon
}

ask() { "$LXCFSD" "$1" --runtime-dir "$WORK/run" "${@:2}"; }

# run_inside NAME SCRIPT: with the container's files, but none of its limits.
run_inside() {
    nsenter --mount --target "$(container_pid "$1")" /bin/env PATH=/bin sh -c "$2"
}

# Reads the file $2 of the container $1 as its processes see it.
inside() { run_inside "$1" "cat $2"; }

total_of() { inside "$1" /proc/meminfo | awk '$1 == "MemTotal:" { print $2 }'; }

serves() {
    make_bundle "list-$1" -q 100000
    start_container "$1" "list-$1"
    run -0 ask list
    [[ ${lines[0]} == ID*PID*UP*CPUS*MEMORY*CGROUP ]]
    [[ ${lines[1]} == "list-$1 "*" 1 "*"128M"*"$E2E_CGROUP/list-$1"* ]] || fail "$output"
    ask list --json | jq -e --arg id "list-$1" --argjson pid "$(container_pid "list-$1")" '
        .[0] | .id == $id and .pid == $pid and .cpus == 1 and .memoryTotal == 134217728'
    ask status --json | jq -e '.containers == 1 and .coherence == 10 and .requests.getattr >= 0'
    run -0 ask status
    [[ $output =~ containers\ +1 ]]
    [[ $(ls "$WORK/run/containers") == "list-$1.json" ]]
    [[ -e $WORK/lxcfs/list-$1/proc/meminfo ]]
    delete_container "$1" "list-$1"
    [[ $(ask list --json) == "[]" && -z $(ls "$WORK/run/containers") ]]
    [[ ! -e $WORK/lxcfs/list-$1 ]]
}

@test "list and status tell what is served" {
    for_each_runtime serves
}

is_dropped() { [[ $(ask list --json) == "[]" ]]; }

@test "a container whose cgroup is gone is dropped without being told" {
    make_bundle gone
    set_config gone 'del(.hooks.poststop)'
    start_container runc gone
    [[ $(ask list --json | jq length) == 1 ]]
    kill -KILL "$(container_pid gone)"
    wait_for 5 is_dropped
    [[ -z $(ls "$WORK/run/containers") ]]
}

crashes() {
    make_bundle "crash-$1" -m $((96 << 20)) -q 100000
    start_container "$1" "crash-$1"
    local pid
    pid=$(container_pid "crash-$1")
    [[ $(total_of "crash-$1") == $((96 << 10)) ]]
    # The keeper, too: its worker goes with it.
    local worker
    worker=$(ask status --json | jq .worker)
    kill -KILL "$(daemon_pid)"
    wait_for 5 is_gone "$(daemon_pid)"
    wait_for 5 is_gone "$worker"
    run ! inside "crash-$1" /proc/meminfo
    start_daemon
    # The new daemon knows the container, but the old mounts are dead.
    [[ $(ask list --json | jq -r '.[0].id') == "crash-$1" ]]
    run ! inside "crash-$1" /proc/meminfo
    # Half of them one by one, half of them all at once.
    if [[ $1 == "${RUNTIMES[0]}" ]]; then
        run -0 "$LXCFS_HOOK" attach --all --runtime-dir "$WORK/run" --no-syslog
        [[ $output == *"1 of 1 containers attached anew"* ]] || fail "$output"
        # There is nothing left to do then.
        run -0 "$LXCFS_HOOK" attach --all --runtime-dir "$WORK/run" --no-syslog
        [[ $output == *"0 of 1 containers attached anew"* ]] || fail "$output"
    else
        run -0 "$LXCFS_HOOK" attach "$pid" --id "crash-$1" --runtime-dir "$WORK/run" --no-syslog
    fi
    echo "$output"
    [[ $(total_of "crash-$1") == $((96 << 10)) ]]
    [[ $(inside "crash-$1" /sys/devices/system/cpu/online) == 0 ]]
    inside "crash-$1" /proc/uptime
    # Nothing dead is left below, and no file is attached that was not.
    [[ $(grep -c ' /proc/meminfo ' "/proc/$pid/mountinfo") == 1 ]]
    is_running "$pid"
    delete_container "$1" "crash-$1"
}

@test "total loss: kill -9 of all, restart, attach: values come back without restarting the container" {
    for_each_runtime crashes
}

attaches() {
    make_bundle "late-$1" -n -m $((96 << 20)) -q 100000
    start_container "$1" "late-$1"
    local pid
    pid=$(container_pid "late-$1")
    run -0 "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog
    echo "$output"
    [[ $(total_of "late-$1") == $((96 << 10)) ]]
    # The id comes from the cgroup.
    [[ $(ask list --json | jq -r '.[0].id') == "late-$1" ]]
    run -0 "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog
    [[ $(grep -c ' /proc/meminfo ' "/proc/$pid/mountinfo") == 1 ]]
    run -0 "$LXCFS_HOOK" detach "$pid" --runtime-dir "$WORK/run" --no-syslog
    ! grep -q fuse "/proc/$pid/mountinfo"
    [[ $(ask list --json) == "[]" ]]
    [[ $(total_of "late-$1") == $(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) ]]
    run -0 "$LXCFS_HOOK" detach "$pid" --runtime-dir "$WORK/run" --no-syslog
    delete_container "$1" "late-$1"
}

@test "attach and detach a running container" {
    for_each_runtime attaches
}

# freezer_of PID: the file that says whether its cgroup is frozen.
freezer_of() {
    local path
    path=$(sed -n 's/^[0-9]*:freezer://p' "/proc/$1/cgroup")
    if [[ -n $path ]]; then
        echo "/sys/fs/cgroup/freezer$path/freezer.state"
    else
        echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")/cgroup.freeze"
    fi
}

# says_frozen FILE: without another process, which may take longer than a container is frozen.
# On v2 those above it count, too, as v1 says of itself.
says_frozen() {
    local state file=$1
    while :; do
        read -r state <"$file" || return 1
        [[ $state == THAWED || $state == 0 ]] || return 0
        [[ $file == */cgroup.freeze ]] || return 1
        file=${file%/*/cgroup.freeze}/cgroup.freeze
        [[ -e $file ]] || return 1
    done
}

# is_frozen PID: whether its cgroup is to be frozen.
is_frozen() { says_frozen "$(freezer_of "$1")"; }

thaws() {
    local pid
    make_bundle "froze-$1" -n -m $((96 << 20))
    start_container "$1" "froze-$1"
    pid=$(container_pid "froze-$1")
    run -0 "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog --log-level debug
    [[ $output != *"not frozen"* ]] || fail "$output"
    ! is_frozen "$pid"
    "$LXCFS_HOOK" detach "$pid" --runtime-dir "$WORK/run" --no-syslog
    # What somebody else has frozen stays so.
    runtime_cmd "$1" pause "froze-$1"
    is_frozen "$pid"
    "$LXCFS_HOOK" attach "$pid" --runtime-dir "$WORK/run" --no-syslog
    is_frozen "$pid"
    runtime_cmd "$1" resume "froze-$1"
    [[ $(total_of "froze-$1") == $((96 << 10)) ]]
    delete_container "$1" "froze-$1"
}

@test "a container is frozen only while files are attached; a paused one stays paused" {
    for_each_runtime thaws
}

@test "a container that does not freeze is left alone, and goes on when attach is killed" {
    local runtime=${RUNTIMES[0]} pid attach worker freezer
    make_bundle stiff -n -m $((96 << 20)) 'read -r line </host/uptime; sleep 1000'
    # A process that waits for a FUSE server which does not answer cannot be frozen.
    mkdir "$WORK/other"
    "$LXCFSD" --runtime-dir "$WORK/run2" "$WORK/other" >"$WORK/other.log" 2>&1 3>&- &
    echo $! >"$WORK/other.pid"
    wait_for 5 cat "$WORK/other/proc/uptime"
    worker=$(worker_of "$(cat "$WORK/other.pid")")
    echo "$worker" >"$WORK/other.worker"
    set_config stiff '.mounts += [{destination: "/host", type: "bind", source: $source,
            options: ["rbind"]}]' --arg source "$WORK/other/proc"
    kill -STOP "$worker"
    start_container "$runtime" stiff
    pid=$(container_pid stiff)
    wait_for 5 grep -q request_wait "/proc/$pid/wchan"

    run "$LXCFS_HOOK" attach "$pid" --id stiff --runtime-dir "$WORK/run" --no-syslog
    [[ $status == 1 && $output == *"do not freeze"* ]] || fail "$status: $output"
    ! is_frozen "$pid"
    ! grep -q " /proc/meminfo " "/proc/$pid/mountinfo"

    freezer=$(freezer_of "$pid")
    "$LXCFS_HOOK" attach "$pid" --id stiff --runtime-dir "$WORK/run" --no-syslog 2>&1 3>&- &
    attach=$!
    until says_frozen "$freezer"; do kill -0 "$attach"; done
    kill -KILL "$attach"
    wait_for 5 eval "! is_frozen $pid"

    run -0 "$LXCFS_HOOK" attach "$pid" --id stiff --no-freeze --runtime-dir "$WORK/run" \
        --no-syslog
    kill -CONT "$worker"
    [[ $(total_of stiff) == $((96 << 10)) ]]
    delete_container "$runtime" stiff
    stop_process "$(cat "$WORK/other.pid")"
}

@test "SIGTERM unmounts and leaves nothing behind" {
    stop_daemon
    [[ ! -e $WORK/run ]] || fail "$(find "$WORK/run")"
    ! grep -q " $WORK/lxcfs" /proc/self/mountinfo
    start_daemon --pidfile "$WORK/pid"
    [[ $(cat "$WORK/pid") == "$(daemon_pid)" ]]
    stop_daemon
    [[ ! -e $WORK/pid ]]
}

# processes_below PID: children of a process, and theirs.
processes_below() {
    local child
    for child in $(cat /proc/"$1"/task/*/children); do
        echo "$child"
        processes_below "$child"
    done
}

has_all_processes() {
    local pid names=
    for pid in $(processes_below "$1"); do names+="$(cat "/proc/$pid/comm") "; done
    [[ $names == *lxcfsd-aide* && $names == *lxcfsd-holder* ]]
}

@test "who has waited for the daemon finds none of its processes, also after an upgrade" {
    stop_daemon
    local directory=$WORK/ends daemon processes pid round
    mkdir "$directory"
    for round in {1..10}; do
        mount -t tmpfs tmpfs "$directory"
        "$LXCFSD" --runtime-dir "$directory/run" "$directory/lxcfs" 2>"$directory/log" 3>&- &
        daemon=$!
        echo "$daemon" >"$WORK/other.pid"
        wait_for 20 has_all_processes "$daemon"
        if ((round % 2)); then
            kill -HUP "$daemon"
            wait_for 20 grep -q "upgraded: worker" "$directory/log"
            wait_for 20 has_all_processes "$daemon"
        fi
        processes=$(processes_below "$daemon")
        kill "$daemon"
        wait "$daemon"
        for pid in $processes; do
            [[ ! -e /proc/$pid ]] || fail "$pid is there: $(head -3 "/proc/$pid/status")"
        done
        # They had their log open.
        umount "$directory"
    done
    rm "$WORK/other.pid"
}

@test "a second daemon is refused and does not disturb the first" {
    run "$LXCFSD" --runtime-dir "$WORK/run" "$WORK/other"
    [[ $status == 1 && $output == *"runs already (pid $(daemon_pid)"* ]]
    [[ $(cat "$WORK/run/lxcfsd.pid") == "$(daemon_pid)" ]]
    run "$LXCFSD" --runtime-dir "$WORK/run2" "$WORK/lxcfs"
    [[ $status == 1 && $output == *"$WORK/lxcfs is served by another lxcfsd"* ]] || fail "$output"
    head -n 1 "$WORK/lxcfs/proc/meminfo"
    ask status
}

@test "the options of lxcfs are understood" {
    stop_daemon
    start_daemon -f -l -u --enable-cfs --enable-pidfd --enable-psi-poll -p "$WORK/pid" \
        -o allow_other,nonempty
    [[ $(awk '/SwapTotal/ { print $2 }' "$WORK/lxcfs/proc/meminfo") == 0 ||
        $(cat /proc/self/cgroup) != *:/lxcfs* ]]
    run -0 "$LXCFSD" --help
    run -0 "$LXCFSD" -h
    [[ $output == *"lxcfsd serve"* ]]
    run -0 "$LXCFSD" serve --help
    [[ $output == *--coherence* ]]
    run -0 "$LXCFSD" --version
    local version=$output
    [[ $version == "lxcfsd "[0-9]* ]]
    run -0 "$LXCFSD" -v
    [[ $output == "$version" ]]
    run "$LXCFSD" --nonsense /x
    [[ $status == 64 ]]
    run "$LXCFSD" --coherence -1 /x
    [[ $status == 64 ]]
}

fresh() {
    make_bundle "fresh-$1" -m $((96 << 20))
    start_container "$1" "fresh-$1"
    local first second by pause
    # busybox head asks read(2), its cat sendfile(2).
    for by in "head -n 1" cat; do
        pause=0.05
        [[ $by != cat ]] || pause=0.25
        first=$(run_inside "fresh-$1" "$by /proc/uptime")
        sleep "$pause"
        second=$(run_inside "fresh-$1" "$by /proc/uptime")
        [[ -n $first && $first != "$second" ]] || fail "$by: $first, then $second"
    done
    delete_container "$1" "fresh-$1"
}

@test "content is fresh after the window, with every window" {
    fresh runc
    stop_daemon
    start_daemon --coherence 0
    fresh runc
    stop_daemon
    start_daemon --coherence 1000
    make_bundle slow
    start_container runc slow
    [[ $(inside slow /proc/uptime) == $(inside slow /proc/uptime) ]]
}

requests_are_still() {
    local before
    before=$(ask status --json | jq -c .requests)
    sleep 1
    [[ $before == "$(ask status --json | jq -c .requests)" ]]
}

@test "inside the window no request reaches the daemon" {
    stop_daemon
    start_daemon --coherence 5000
    make_bundle quiet
    start_container runc quiet
    # The holder has opened what it holds.
    wait_for 20 requests_are_still
    # The first reading changes the size, and the kernel asks for that once more.
    for _ in 1 2; do inside quiet /proc/meminfo >/dev/null; done
    local before after
    before=$(ask status --json | jq -c .requests)
    run_inside quiet 'i=0; while [ $i -lt 100 ]; do cat /proc/meminfo; i=$((i + 1)); done' >/dev/null
    after=$(ask status --json | jq -c .requests)
    [[ $before == "$after" ]] || fail "$before" "$after"
}

@test "many readers of one file see whole files" {
    make_bundle many -m $((96 << 20)) -q 100000
    start_container runc many
    run_inside many '
        for i in 1 2 3 4 5 6 7 8; do
            (n=0; while [ $n -lt '"$(repeats 300)"' ]; do
                for f in meminfo stat cpuinfo uptime loadavg; do
                    [ "$(cat /proc/$f | tail -c 1 | od -An -c | tr -d " ")" = "\\n" ] || echo "cut $f"
                done
                head -n 1 /proc/meminfo | grep -q "^MemTotal: *98304 kB$" || echo wrong
                n=$((n + 1))
            done) &
        done; wait' >"$WORK/many.txt"
    [[ ! -s $WORK/many.txt ]] || fail "$(sort "$WORK/many.txt" | uniq -c)"
}

@test "the daemon does not read its own files" {
    make_bundle nested -m $((96 << 20))
    start_container runc nested
    # A second daemon where all of its /proc is the first one's.
    mkdir -p "$WORK/inner"
    run -0 unshare --mount --propagation private sh -c '
        for f in meminfo stat cpuinfo uptime loadavg swaps diskstats; do
            mount --bind "$1/lxcfs/nested/proc/$f" /proc/$f || exit 1
        done
        mount --bind "$1/lxcfs/nested/sys/devices/system/cpu" /sys/devices/system/cpu
        "$0" --runtime-dir "$1/run3" "$1/inner" >"$1/inner.log" 2>&1 3>&- &
        pid=$!
        i=0; while ! [ -e "$1/inner/proc/meminfo" ] && [ $i -lt 50 ]; do
            sleep 0.1; i=$((i + 1)); done
        timeout 5 head -n 1 /proc/meminfo "$1/inner/proc/meminfo" "$1/inner/proc/uptime"
        kill $pid; wait $pid' "$LXCFSD" "$WORK"
    echo "$output"
    [[ $output == *"MemTotal:"*"98304 kB"* && $(grep -c MemTotal <<<"$output") == 2 ]]
    # And what is worse: its own tree over its own /proc.
    run -0 unshare --mount --propagation private sh -c '
        mount --bind "$1/lxcfs/proc/meminfo" /proc/meminfo
        mount --bind "$1/lxcfs/proc/stat" /proc/stat
        timeout 5 cat /proc/meminfo /proc/stat "$1/lxcfs/nested/proc/meminfo"' "$LXCFSD" "$WORK"
}

@test "clients that say nothing or nonsense do not keep others waiting" {
    needs_command python3
    python3 - "$WORK/run/control.sock" <<'PY'
import socket, sys, json, time
def connect():
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(10); return s
silent = [connect() for _ in range(200)]
started = time.time()
s = connect(); s.sendall(b'{"op":"status"}\n')
assert json.loads(s.makefile().readline())["status"]["containers"] == 0
assert time.time() - started < 1
for garbage in b"x\n", b"{}\n", b'{"op":"register"}\n', b'{"op":"register","id":"a/b","pid":1}\n', \
        b'{"op":"register","id":"x","pid":99999999}\n', b"\xff\xfe\n", b"{" * 100000:
    s = connect()
    try:
        s.sendall(garbage)
        answer = json.loads(s.makefile().readline())
        assert answer["error"], answer
        print(answer["error"])
    except (BrokenPipeError, ConnectionResetError):
        pass
PY
    ask status
}

@test "only root may talk to the daemon" {
    run setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$LXCFSD" status --runtime-dir "$WORK/run"
    [[ $status == 1 && $output == *"Permission denied"* ]]
}
