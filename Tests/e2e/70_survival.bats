# Nothing that a container can notice: workers that die, upgrades, a keeper that dies too.
#
# SURVIVAL_KILLS, SURVIVAL_ABORTS, SURVIVAL_UPGRADES, SURVIVAL_REPLACEMENTS and
# SURVIVAL_RESTARTS say how often; `make soak` sets them high.

load helpers
load survival

setup() { [[ -x $READLOAD ]] || skip "not built: $READLOAD"; }

teardown() {
    local stuck=/sys/fs/cgroup/freezer/${E2E_CGROUP#/}-stuck
    # Left by a test that has failed.
    [[ ! -d $stuck ]] || thaw "$stuck"
    stop_tracer
    stop_load >/dev/null 2>&1 || true
    if [[ -e $WORK/manager.pid ]]; then kill -KILL "$(cat "$WORK/manager.pid")" || true; fi
    cleanup_containers
    stop_daemon
    rm -f "$WORK"/{manager.*,notify}
}

# Kills the worker $1 times with signal $2, at different moments of its life.
kill_workers() {
    local i pid
    for ((i = 0; i < $1; i++)); do
        pid=$(worker_pid)
        [[ -n $pid ]] || { sleep 0.01; continue; }
        kill "-$2" "$pid"
        wait_for 10 is_another_worker "$pid"
        sleep "0.0$((i % 9))"
        # One crash after the other is taken for a fault that another worker does not mend.
        [[ $2 != ABRT ]] || ((i % 5 < 4)) || sleep 1.1
    done
}

kills() {
    start_daemon "$@"
    prepare_survivor
    kill_workers "${SURVIVAL_KILLS:-30}" KILL
    check_load "${SURVIVAL_KILLS:-30} x kill -9 of the worker ($(uname -r)) $*"
    ask status --json | jq -e '.containers == 1 and .workers > 1'
}

@test "kill -9 of the worker under load fails no read" {
    kills
}

@test "kill -9 of the worker under load, as on kernels that do not send requests again" {
    kills --no-resend
}

# worker_threads NAME: as options of strace.
worker_threads() {
    local task
    for task in /proc/"$(worker_pid)"/task/*; do
        [[ $(cat "$task/comm") != "$1" ]] || echo -p "${task##*/}"
    done
}

# start_tracer THREADS OPTION...: strace on the worker's threads of that name.
start_tracer() {
    rm -f "$WORK/strace.err"
    strace -o "$WORK/strace.txt" $(worker_threads "$1") "${@:2}" 2>"$WORK/strace.err" 3>&- &
    echo $! >"$WORK/tracer.pid"
    wait_for 10 grep -q attached "$WORK/strace.err"
}

# It would let a thread that has been killed not end before its delay has.
stop_tracer() {
    [[ -e $WORK/tracer.pid ]] || return 0
    # It may have ended with the worker that it traced.
    kill -KILL "$(cat "$WORK/tracer.pid")" 2>/dev/null || true
    rm "$WORK/tracer.pid"
}

# Before Linux 6.9 a worker answers what the one before has left, which may have been answered.
# Then the content must not be made anew: its reader goes on in the middle of it.
@test "a read that was answered just before the crash is not followed by the end of another" {
    needs_command strace
    needs_command python3
    local reader old before
    for before in 0 1; do
        start_daemon --no-resend
        python3 - "$WORK" "$before" >"$WORK/reader.txt" 2>&1 3>&- <<'PY' &
import os, sys, time
work, before = sys.argv[1], int(sys.argv[2])
def wait_for(name):
    while not os.path.exists(work + "/" + name): time.sleep(0.01)
file = os.open(work + "/lxcfs/proc/uptime", os.O_RDONLY)
for _ in range(before): os.pread(file, 4096, 0)
open(work + "/opened", "w").close()
wait_for("traced")
whole = os.pread(file, 4096, 0)
open(work + "/read", "w").close()
wait_for("replaced")
rest = os.pread(file, 4096, 1)
print(whole, rest)
again = os.pread(file, 4096, 0)
sys.exit(0 if len(whole) > 8 and rest == whole[1:] and again != whole else 1)
PY
        reader=$!
        wait_for 10 test -e "$WORK/opened"
        start_tracer callers -e trace=writev -e inject=writev:delay_exit=600s
        touch "$WORK/traced"
        wait_for 10 test -e "$WORK/read"
        old=$(worker_pid)
        kill -KILL "$old"
        stop_tracer
        wait_for 10 is_another_worker "$old"
        ask status
        touch "$WORK/replaced"
        wait "$reader" || fail "$(cat "$WORK/reader.txt")"
        rm "$WORK"/{opened,traced,read,replaced}
        stop_daemon
    done
}

@test "a worker that aborts fails no read" {
    start_daemon
    prepare_survivor
    kill_workers "${SURVIVAL_ABORTS:-5}" ABRT
    check_load "${SURVIVAL_ABORTS:-5} x abort of the worker"
}

# A thread of a worker may wait in the kernel for what only the next worker can do; then even
# SIGKILL does not end it. In a frozen cgroup (v1) it does not either.
@test "a worker that cannot be killed does not stop the upgrade" {
    local freezer old
    set_freezer
    start_daemon
    prepare_survivor
    old=$(worker_pid)
    freeze "$old"
    kill -HUP "$(daemon_pid)"
    wait_for 10 is_upgraded 1
    is_running "$old"
    thaw "$freezer"
    wait_for 5 is_gone "$old"
    grep -q "is stuck in the kernel" "$WORK/lxcfsd.log"
    check_load "a worker that cannot be killed"
}

set_freezer() {
    freezer=/sys/fs/cgroup/freezer/${E2E_CGROUP#/}-stuck
    [[ -e ${freezer%/*}/cgroup.procs ]] || skip "needs the freezer of cgroup v1"
}

freeze() {
    mkdir "$freezer"
    echo "$1" >"$freezer/cgroup.procs"
    echo FROZEN >"$freezer/freezer.state"
}

thaw() {
    echo THAWED >"$1/freezer.state"
    wait_for 5 rmdir "$1"
}

@test "SIGHUP and SIGUSR1 upgrade the worker under load" {
    start_daemon
    prepare_survivor
    local i signals=(HUP USR1)
    for ((i = 1; i <= ${SURVIVAL_UPGRADES:-10}; i++)); do
        kill "-${signals[i % 2]}" "$(daemon_pid)"
        wait_for 10 is_upgraded "$i"
    done
    check_load "${SURVIVAL_UPGRADES:-10} upgrades"
}

# busybox cat uses sendfile(2), which takes what is in the page cache as it is.
cat_uptime() { busybox cat "/proc/$1/root/proc/uptime" | awk '{ print int($1 * 1000) }'; }

@test "what a worker takes over is shown for a moment, and only if it is young" {
    start_daemon
    make_bundle taken -m $((96 << 20)) -q 100000
    start_container "${RUNTIMES[0]}" taken
    local pid i former before after
    pid=$(container_pid taken)
    for i in 1 2 3; do
        former=$(cat_uptime "$pid")
        # Once it is too old to be taken over, once it is not.
        ((i == 1)) && sleep 1
        before=$(worker_pid)
        kill -KILL "$before"
        after=$(cat_uptime "$pid")
        ((i > 1 || after >= former + 900)) || fail "$after after $former and a second"
        wait_for 10 is_another_worker "$before"
        # It does not stay, though nobody asks whether it is still good.
        for _ in 1 2 3 4 5; do cat_uptime "$pid" >/dev/null; done
        sleep 0.4
        after=$(cat_uptime "$pid")
        ((after >= former + 400)) || fail "$after after $former and 0.4 s"
    done
}

@test "an upgrade takes the binary that is now on disk; one that does not work changes nothing" {
    cp "$LXCFSD" "$WORK/lxcfsd"
    LXCFSD=$WORK/lxcfsd start_daemon
    prepare_survivor
    local first i
    for ((i = 0; i < ${SURVIVAL_REPLACEMENTS:-5}; i++)); do
        # A new file under the old name, as package managers do it.
        cp "$LXCFSD" "$WORK/new" && mv "$WORK/new" "$WORK/lxcfsd"
        kill -HUP "$(daemon_pid)"
        # The keeper, too, becomes the new one, and stays the same process.
        wait_for 10 is_program "$(daemon_pid)" "$WORK/lxcfsd"
        wait_for 10 ask status
        is_program "$(worker_pid)" "$WORK/lxcfsd"
        [[ $(ask status --json | jq .pid) == "$(daemon_pid)" ]]
        [[ $(cat "$WORK/run/lxcfsd.pid") == "$(daemon_pid)" ]]
    done
    first=$(worker_pid)
    printf '#!/bin/sh\nexit 3\n' >"$WORK/new" && chmod 755 "$WORK/new"
    mv "$WORK/new" "$WORK/lxcfsd"
    kill -HUP "$(daemon_pid)"
    wait_for 10 grep -q "no upgrade" "$WORK/lxcfsd.log"
    [[ $(worker_pid) == "$first" ]]
    # And one that dies is followed by the same version, though it is not on disk any more.
    kill -KILL "$first"
    wait_for 10 is_another_worker "$first"
    check_load "${SURVIVAL_REPLACEMENTS:-5} upgrades by file"
}

@test "the keeper stops though its worker hangs" {
    start_daemon
    kill -STOP "$(worker_pid)"
    stop_daemon
}

@test "a worker that hangs is replaced" {
    local old file
    start_daemon
    make_bundle hung -m $((96 << 20))
    start_container "${RUNTIMES[0]}" hung
    file=/proc/$(container_pid hung)/root/proc/meminfo
    old=$(worker_pid)
    kill -STOP "$old"
    [[ $(timeout 60 head -n 1 "$file") == *" 98304 kB" ]]
    is_gone "$old"
    # It may have been stopped in the midst of a request.
    grep -Eq "worker $old hangs, it is replaced: it does not (answer the keeper|finish request)" \
        "$WORK/lxcfsd.log"
}

@test "a worker of which one thread hangs is replaced" {
    needs_command strace
    local old file reader
    start_daemon
    make_bundle hung -m $((96 << 20))
    start_container "${RUNTIMES[0]}" hung
    file=/proc/$(container_pid hung)/root/proc/meminfo
    old=$(worker_pid)
    # Whoever of them reads a file of the container's cgroup does not come back.
    start_tracer containers -e trace=pread64 -e inject=pread64:delay_enter=600s
    timeout 60 head -n 1 "$file" >"$WORK/read.txt" 3>&- &
    reader=$!
    wait_for 20 grep -q "worker $old hangs, it is replaced: it does not finish request" \
        "$WORK/lxcfsd.log"
    stop_tracer
    wait "$reader"
    [[ $(cat "$WORK/read.txt") == *" 98304 kB" ]]
    is_gone "$old"
}

# freeze_under NAME: a container with 96 MiB, and the worker ($old) does not answer any more when
# its meminfo ($file) is read.
freeze_under() {
    set_freezer
    start_daemon
    make_bundle "$1" -m $((96 << 20))
    start_container "${RUNTIMES[0]}" "$1"
    file=/proc/$(container_pid "$1")/root/proc/meminfo
    old=$(worker_pid)
    freeze "$old"
}

# fails_soon FILE: reading it gives an error, and does not wait.
fails_soon() {
    run timeout 5 cat "$1"
    [[ $status == 1 ]] || fail "$status: $output"
}

@test "a worker cannot fill the keeper with descriptors" {
    start_daemon
    local worker
    worker=$(worker_pid)
    # As a worker that has been taken over could: over its connection to the keeper, with a
    # descriptor each.
    cat >"$WORK/flood.py" <<'EOF'
import array, ctypes, os, socket, sys, time

keeper, worker = map(int, sys.argv[1:])
libc = ctypes.CDLL(None)
process = os.pidfd_open(worker)


def link():
    for name in os.listdir(f"/proc/{worker}/fd"):
        if not os.readlink(f"/proc/{worker}/fd/{name}").startswith("socket:"):
            continue
        copy = socket.socket(fileno=libc.syscall(438, process, int(name), 0))  # pidfd_getfd
        if copy.type == socket.SOCK_SEQPACKET:
            return copy
    sys.exit("the worker has no connection")


def count():
    return len(os.listdir(f"/proc/{keeper}/fd"))


def flood(text):
    """Whether the keeper has no more descriptors afterwards."""
    for _ in range(100):
        connection.sendmsg(
            [('{"kind":"%s"}' % text).encode()],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null]))])
    for _ in range(100):
        time.sleep(0.1)
        if count() <= before:
            return True
    return False


connection, null, before = link(), os.open("/dev/null", os.O_RDONLY), count()
for text in ("answer", 'forget","name":"x', "serving", "keep", "serve", "later"):
    if not flood(text):
        sys.exit(f"{before} descriptors have become {count()}")
EOF
    python3 "$WORK/flood.py" "$(daemon_pid)" "$worker"
    # It goes on, and so does the worker.
    [[ $(worker_pid) == "$worker" ]]
    ask status >/dev/null
}

@test "readers do not wait for a daemon that has stopped, though its worker cannot end" {
    local freezer old file reader
    freeze_under orphan
    timeout 20 cat "$file" >/dev/null 2>&1 3>&- &
    reader=$!
    sleep 0.3
    stop_daemon
    is_running "$old" || fail "the worker has ended"
    local status=0
    wait "$reader" || status=$?
    [[ $status == 1 ]] || fail "the reader ended with $status"
    fails_soon "$file"
    thaw "$freezer"
    wait_for 5 is_gone "$old"
}

@test "a daemon starts though a worker of the one before cannot end" {
    local freezer old file
    freeze_under left
    kill -KILL "$(daemon_pid)"
    wait_for 5 is_gone "$(daemon_pid)"
    E2E_PATIENCE=4 start_daemon
    is_running "$old" || fail "the worker has ended"
    grep -q "whose daemon does not answer" "$WORK/lxcfsd.log"
    fails_soon "$file"
    "$LXCFS_HOOK" attach --all --runtime-dir "$WORK/run" --no-syslog
    [[ $(head -n 1 "$file") == *" 98304 kB" ]]
    thaw "$freezer"
    wait_for 5 is_gone "$old"
    [[ $(head -n 1 "$file") == *" 98304 kB" ]]
}

@test "SIGUSR2 shows containers the host, and themselves again" {
    start_daemon
    make_bundle toggled -m $((96 << 20)) -q 100000
    start_container "${RUNTIMES[0]}" toggled
    local root host
    root=/proc/$(container_pid toggled)/root
    host=$(grep MemTotal /proc/meminfo)
    [[ $(head -n 1 "$root/proc/meminfo") == *" 98304 kB" ]]
    kill -USR2 "$(daemon_pid)"
    wait_for 5 grep -q shown "$WORK/lxcfsd.log"
    sleep 0.1
    [[ $(head -n 1 "$root/proc/meminfo") == "$host" ]]
    [[ $(cat "$root/sys/devices/system/cpu/online") == $(cat /sys/devices/system/cpu/online) ]]
    # That also holds for the next worker.
    kill -KILL "$(worker_pid)"
    [[ $(head -n 1 "$root/proc/meminfo") == "$host" ]]
    kill -USR2 "$(daemon_pid)"
    sleep 0.2
    [[ $(head -n 1 "$root/proc/meminfo") == *" 98304 kB" ]]
    [[ $(cat "$root/sys/devices/system/cpu/online") == 0 ]]
}

# start_manager COUNT: a service manager that stores descriptors, and starts the daemon; then so
# often again, each time after it has killed all of it.
start_manager() {
    local programs i
    for ((i = 0; i <= $1; i++)); do programs+=("$LXCFSD"); done
    needs_command python3
    mkdir -p "$WORK/lxcfs" "$WORK/run"
    rm -f "$WORK/lxcfsd.log"
    python3 "$E2E_DIR/service_manager.py" "$WORK" "${programs[@]}" \
        >"$WORK/manager.txt" 2>&1 3>&- &
    echo $! >"$WORK/manager.pid"
    wait_for 10 test -e "$WORK/manager.ready" || manager_says
}

manager_says() { cat "$WORK/manager.txt" "$WORK/lxcfsd.log"; return 1; }

restart_by_manager() {
    touch "$WORK/manager.go"
    wait_for "$1" test -e "$WORK/manager.done" || manager_says
}

# Ends the daemon, which has to leave nothing stored and nothing mounted.
end_manager() {
    touch "$WORK/manager.stop"
    wait "$(cat "$WORK/manager.pid")" || manager_says
    rm -f "$WORK"/{manager.*,notify,daemon.pid}
    ! grep " $WORK/lxcfs" /proc/self/mountinfo
}

@test "kill -9 of keeper and worker under a service manager that stores descriptors" {
    local restarts=${SURVIVAL_RESTARTS:-5}
    start_manager "$restarts"
    prepare_survivor
    restart_by_manager $((20 + 2 * restarts))
    check_load "$restarts x kill -9 of everything, with stored descriptors"
    ask list --json | jq -e 'length == 1'
    cleanup_containers
    end_manager
}

# Nobody else answers what comes over notify descriptors: callers would wait for ever.
# The calls that are just being answered, too: some of eight programs wait at any moment.
@test "listeners outlive connections that have been aborted" {
    local config i
    [[ -x $REPO/.build/programs/sysinfo ]] || skip "needs gcc to have made sysinfo"
    start_manager 1
    make_bundle calling -m $((96 << 20)) '
        for i in 1 2 3 4 5 6 7 8; do sysinfo answers 2 5 >/$i.log & done; wait
        cat /?.log; sleep 1000'
    config=$(bundle_of calling)/config.json
    cp "$REPO/.build/programs/sysinfo" "$(bundle_of calling)/rootfs/bin"
    "$LXCFS_HOOK" precreate --no-syslog --runtime-dir "$WORK/run" --sysinfo \
        <"$config" >"$config.new" && mv "$config.new" "$config"
    start_container "${RUNTIMES[0]}" calling
    wait_for 5 eval '[[ $(ask status --json | jq .listeners) == 1 ]]'
    # The mounts are in use, so they stay; the connection does not.
    ! umount -f "$WORK/lxcfs"
    restart_by_manager 20
    grep "starting anew: the stored connections have been unmounted or aborted" "$WORK/lxcfsd.log"
    [[ $(ask status --json | jq .listeners) == 1 ]]
    wait_for 15 test -s "$WORK/calling.log" || fail "calls are not answered any more"
    # Its files are dead, so that the kernel is to answer.
    [[ $(grep -c " failed=0$" "$WORK/calling.log") == 8 ]] || fail "$(<"$WORK/calling.log")"
    cleanup_containers
    end_manager
}

@test "containers come and go while workers die" {
    start_daemon
    make_bundle comer -m $((96 << 20)) 'head -n 1 /proc/meminfo'
    local i pid
    for i in 1 2 3 4 5 6 7 8; do
        pid=$(worker_pid)
        (sleep "0.0$i" && kill -KILL "$pid") 3>&- &
        run -0 runtime_cmd "${RUNTIMES[0]}" run --bundle "$(bundle_of comer)" "comer-$i" </dev/null
        [[ $output == *98304\ kB* ]] || fail "$output"
        wait_for 10 is_another_worker "$pid"
    done
    ask list --json | jq -e '. == []'
    [[ -z $(ls "$WORK/run/containers") ]]
}

# What lxcfs does then, for docs/reliability.md.
@test "for comparison: lxcfs is killed once, and started again" {
    needs_command lxcfs
    start_lxcfs
    touch "$WORK/meminfo"
    mount --bind "$WORK/lxcfs/proc/meminfo" "$WORK/meminfo"
    "$READLOAD" 4 4 "@$WORK/meminfo" >"$WORK/load.txt" 2>&1 </dev/null 3>&- &
    local load=$! status=0
    sleep 1
    kill -KILL "$(daemon_pid)"
    wait_for 5 is_gone "$(daemon_pid)"
    umount -l "$WORK/lxcfs"
    start_lxcfs
    wait "$load" || status=$?
    umount -l "$WORK/meminfo"
    echo "# lxcfs, 1 x kill -9: $(tail -n 1 "$WORK/load.txt")" >&3
    # The daemon that serves again does not help whoever has its files mounted.
    [[ $status != 0 ]]
    grep -q 'Transport endpoint is not connected' "$WORK/load.txt"
}
