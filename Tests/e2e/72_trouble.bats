# Trouble at run time: each has an answer, and none stops the others.

load helpers

setup_file() { needs_binaries; }

teardown() {
    cleanup_containers
    stop_daemon
    ! mountpoint -q "$WORK/run" || umount "$WORK/run"
}

ask() { "$LXCFSD" "$1" --runtime-dir "$WORK/run" "${@:2}"; }

# total_of NAME: MemTotal as container NAME sees it, in kB.
total_of() {
    awk '$1 == "MemTotal:" { print $2 }' "/proc/$(container_pid "$1")/root/proc/meminfo"
}

total_is() { [[ $(total_of "$1") == "$2" ]]; }

# start NAME [BUNDLE-OPTION...]: a container of 64 MiB that stays.
start() {
    make_bundle "$1" -m $((64 << 20)) "${@:2}" sleep 1000
    start_container "${RUNTIMES[0]}" "$1"
}

fill() { dd if=/dev/zero of="$WORK/run/fill" bs=4k 2>/dev/null || true; }

@test "the runtime directory is full: containers are served, by later workers, too, and written down with room again" {
    mkdir -p "$WORK/run"
    mount -t tmpfs -o size=256k,mode=755 tmpfs "$WORK/run"
    start_daemon
    start before
    total_is before 65536
    fill
    start full
    total_is full 65536
    # Its CPU time has no place in the file of counters, which is no reason to fail.
    cat "/proc/$(container_pid full)/root/proc/"{stat,uptime,loadavg} >/dev/null
    grep -q 'the state of full is not written, .*No space left on device' "$WORK/lxcfsd.log"
    [[ $(ask status --json | jq .unwrittenStates) == 1 ]]
    [[ $(ask status) == *"not written"*1* ]]
    # The next workers know both, after a crash and after an upgrade.
    kill -KILL "$(worker_pid)"
    wait_for 5 total_is before 65536
    total_is full 65536
    kill -HUP "$(daemon_pid)"
    wait_for 10 has_had 3
    total_is full 65536
    [[ $(ask list --json | jq -r '.[].id' | sort | xargs) == "before full" ]]
    [[ ! -e $WORK/run/containers/full.json ]]
    # One that is gone is not written later.
    start gone
    delete_container "${RUNTIMES[0]}" gone
    # As soon as there is room, the files are written, though nobody asks.
    rm "$WORK/run/fill"
    wait_for 5 test -e "$WORK/run/containers/full.json"
    grep -q 'the state of full is written now' "$WORK/lxcfsd.log"
    [[ $(ask status --json | jq .unwrittenStates) == 0 ]]
    [[ ! -e $WORK/run/containers/gone.json ]]
    kill -KILL "$(worker_pid)"
    wait_for 5 total_is full 65536
    start after
    total_is after 65536
}

# has_had COUNT: so many workers there have been, and the last one serves.
has_had() { [[ $(ask status --json | jq .workers) == "$1" ]]; }

@test "descriptors run out: those that are only kept open to be quick are given up" {
    # For the files of a few containers, not of twenty.
    (
        ulimit -n 250
        start_daemon
    )
    local i names=(first)
    for ((i = 0; i < 20; i++)); do names+=("more-$i"); done
    for i in "${names[@]}"; do start "$i"; done
    read_all() {
        for i in "${names[@]}"; do
            total_is "$i" 65536 || fail "$i"
            cat "/proc/$(container_pid "$i")/root/proc/"{stat,uptime,loadavg,cpuinfo} \
                >/dev/null || fail "$i"
            cat "$WORK/lxcfs/proc/"{stat,meminfo} >/dev/null
        done
    }
    read_all
    read_all
    (($(ls "/proc/$(worker_pid)/fd" | wc -l) <= 250))
    [[ $(ask status --json | jq .workers) == 1 ]]
}

@test "the worker is killed for lack of memory, and the next one goes on" {
    start_daemon
    start one
    total_is one 65536
    local dir worker
    worker=$(worker_pid)
    # The limit is there before the worker is: afterwards v1 may refuse it as busy. What the
    # worker has was counted elsewhere; what it takes from now on is too much.
    make_limited_cgroup "$E2E_CGROUP/daemon" 4096
    for dir in $(cgroup_dirs); do
        [[ ! -d $dir/daemon ]] || echo "$worker" >"$dir/daemon/cgroup.procs"
    done
    for _ in 1 2 3 4 5 6 7 8; do
        cat "/proc/$(container_pid one)/root/proc/"{meminfo,stat,cpuinfo} \
            "$WORK/lxcfs/proc/"{meminfo,stat} >/dev/null
        "$LXCFSD" list --runtime-dir "$WORK/run" >/dev/null || true
    done
    wait_for 10 total_is one 65536
    is_gone "$worker" || skip "the worker needed no memory"
}

@test "a limit below what is used" {
    start_daemon
    make_bundle shrink -m $((64 << 20)) \
        'dd if=/dev/zero of=/tmp/f bs=1M count=24 2>/dev/null; echo ready; sleep 1000'
    set_config shrink '.mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
    start_container "${RUNTIMES[0]}" shrink
    wait_for 10 grep -q ready "$WORK/shrink.log"
    total_is shrink 65536
    # tmpfs cannot be reclaimed without swap: the kernel keeps the old usage (v2), or refuses
    # (v1) with the limit somewhere in between.
    local dir limit=$((16 << 20))
    for dir in $(cgroup_dirs); do
        if [[ -e $dir/shrink/memory.high ]]; then
            # Not memory.max: that would kill it.
            echo $limit >"$dir/shrink/memory.high"
        elif [[ -e $dir/shrink/memory.limit_in_bytes ]]; then
            run bash -c "echo $limit >$dir/shrink/memory.limit_in_bytes"
        fi
    done
    awk '{ value[$1] = $2 } END {
        exit !(value["MemFree:"] <= value["MemTotal:"] &&
               value["MemAvailable:"] <= value["MemTotal:"] &&
               value["MemFree:"] + value["Buffers:"] + value["Cached:"] <= value["MemTotal:"]) }' \
        "/proc/$(container_pid shrink)/root/proc/meminfo"
}

@test "a frozen container is read like any other" {
    start_daemon
    start frozen
    runtime_cmd "${RUNTIMES[0]}" pause frozen
    local file
    for file in meminfo stat cpuinfo uptime loadavg diskstats swaps; do
        timeout 5 cat "/proc/$(container_pid frozen)/root/proc/$file" >/dev/null || fail "$file"
    done
    total_is frozen 65536
    runtime_cmd "${RUNTIMES[0]}" resume frozen
    total_is frozen 65536
}

no_open_files() { [[ $(ask status --json | jq .openFiles) == 0 ]]; }

@test "readers that are killed in the midst of a read leave nothing" {
    start_daemon
    start victim
    local i readers=() root
    root=/proc/$(container_pid victim)/root
    for ((i = 0; i < 40; i++)); do
        bash -c 'while :; do cat "$@" >/dev/null; done' bash \
            "$root/proc/meminfo" "$root/proc/stat" "$WORK/lxcfs/proc/stat" \
            "$WORK/lxcfs/proc/uptime" 2>/dev/null 3>&- &
        readers+=($!)
        if ((i >= 4)); then
            # The program that reads too.
            pkill -KILL -P "${readers[i - 4]}" || true
            kill -KILL "${readers[i - 4]}"
        fi
    done
    kill -KILL "${readers[@]: -4}"
    wait_for 10 no_open_files
    total_is victim 65536
    [[ $(ask status --json | jq .workers) == 1 ]]
}

@test "the cgroup vanishes while files are read" {
    start_daemon
    local i
    for ((i = 0; i < 10; i++)); do
        start "gone-$i"
        local root=/proc/$(container_pid "gone-$i")/root
        # Descriptors that outlive it.
        exec 8<"$root/proc/meminfo" 9<"$root/proc/stat"
        head -c 100 <&8 >/dev/null
        delete_container "${RUNTIMES[0]}" "gone-$i"
        # An error, or what was there; never a wait.
        timeout 5 cat <&8 >/dev/null 2>&1 || [[ $? == 1 ]]
        timeout 5 cat <&9 >/dev/null 2>&1 || [[ $? == 1 ]]
        exec 8<&- 9<&-
    done
    nothing_listed() { [[ $(ask list --json) == "[]" ]]; }
    wait_for 10 nothing_listed
    [[ $(ask status --json | jq .workers) == 1 ]]
}

@test "a container unmounts the files" {
    start_daemon
    make_bundle unmounts -m $((64 << 20)) 'umount /proc/meminfo && echo done; sleep 1000'
    set_config unmounts '.process.capabilities |=
        with_entries(.value += ["CAP_SYS_ADMIN"])'
    start_container "${RUNTIMES[0]}" unmounts
    wait_for 10 grep -q done "$WORK/unmounts.log"
    # It has what it asked for; the others stay, and all can be had again.
    local host
    host=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
    total_is unmounts "$host"
    grep -q '^processor' "/proc/$(container_pid unmounts)/root/proc/cpuinfo"
    "$LXCFS_HOOK" attach --no-syslog --runtime-dir "$WORK/run" --id unmounts \
        "$(container_pid unmounts)"
    total_is unmounts 65536
    "$LXCFS_HOOK" detach --no-syslog --runtime-dir "$WORK/run" --id unmounts \
        "$(container_pid unmounts)"
    total_is unmounts "$host"
}

@test "many registrations" {
    needs_command python3
    start_daemon
    start real
    local count
    count=$(repeats 10000)
    python3 - "$WORK/run/control.sock" "$(container_pid real)" "$count" <<'PY'
import json, socket, sys, time
path, pid, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def ask(**request):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(s.makefile().readline())
started = time.time()
for number in range(count):
    answer = ask(op="register", id=f"many-{number}", pid=pid)
    assert answer.get("path"), answer
print(f"registered {count} in {time.time() - started:.1f} s")
assert len(ask(op="list")["containers"]) == count + 1
PY
    total_is real 65536
    [[ $(awk '$1 == "MemTotal:" { print $2 }' "$WORK/lxcfs/many-$((count - 1))/proc/meminfo") == 65536 ]]
    awk '/VmRSS/ { print "# RSS with '"$count"' registrations:", $2, "kB" }' \
        "/proc/$(worker_pid)/status" >&3
    # A worker that takes over knows all of them.
    kill -KILL "$(worker_pid)"
    wait_for 20 total_is real 65536
    [[ $(ask status --json | jq .containers) == $((count + 1)) ]]
    delete_container "${RUNTIMES[0]}" real
    # Their init is gone, and with it all of them.
    none_served() { [[ $(ask status --json | jq .containers) == 0 ]]; }
    wait_for 20 none_served
    [[ -z $(ls "$WORK/run/containers") ]]
}

@test "the clock is set" {
    # Only where it is nobody else's.
    [[ -z ${E2E_OUTER_NS:-} ]] || skip "sets the clock, so only in a virtual machine"
    start_daemon
    start clock
    local root=/proc/$(container_pid clock)/root before after
    before=$(cut -d ' ' -f 1 "$root/proc/uptime")
    date -s "$(date -d '+1 day' '+%Y-%m-%d %H:%M:%S')" >/dev/null
    sleep 0.1
    after=$(cut -d ' ' -f 1 "$root/proc/uptime")
    total_is clock 65536
    date -s "$(date -d '-1 day' '+%Y-%m-%d %H:%M:%S')" >/dev/null
    awk -v a="$before" -v b="$after" 'BEGIN { exit !(b >= a && b < a + 60) }' || fail "$before $after"
    wait_for 5 total_is clock 65536
}
