# What this version and the releases before it say to each other (docs/handover.md): it has to
# take over from each release in Tests/releases/list without a failed read.
#
# RELEASES_UPGRADES says how often in a row. In CI (CI=true) a release whose programs cannot be
# built is a failure; elsewhere, without the repository's history, its tests are skipped.

load helpers
load load
load survival

LIST=$REPO/Tests/releases/list
# Release 0.1.0 fills files up with spaces.
LOAD_OPTIONS=--padded
PROGRAMS=$REPO/.build/programs

releases() { sed 's/#.*//' "$LIST" | awk 'NF'; }

# is_there COMMIT
is_there() { [[ -x $REPO/.build/releases/$1/lxcfsd && -x $REPO/.build/releases/$1/lxcfs-hook ]]; }

setup_file() {
    [[ -e $LIST ]] || return 0
    local commit rest
    while read -r commit rest; do
        is_there "$commit" ||
            "$REPO/Tests/releases/build" "$commit" >>"$WORK/build.txt" 2>&1 3>&- || true
    done < <(releases)
}

missing() {
    if [[ ${CI:-} == true ]]; then fail "$@"; else skip "$1"; fi
}

setup() {
    [[ -x $READLOAD ]] || skip "not built: $READLOAD"
    needs_binaries
    needs_command python3
    local commit rest
    # The virtual machine has neither the list nor a compiler.
    [[ -e $LIST ]] || missing "no Tests/releases/list here"
    while read -r commit rest; do
        is_there "$commit" ||
            missing "release $commit is not built" "$(tail -n 20 "$WORK/build.txt")"
    done < <(releases)
    [[ -n $(releases) ]] || fail "Tests/releases/list names no release"
}

teardown() { clear_away; }

clear_away() {
    local pid
    stop_load >/dev/null 2>&1 || true
    touch "$WORK/readers.stop"
    if [[ -e $WORK/frozen.pid ]]; then kill -CONT "$(cat "$WORK/frozen.pid")" || true; fi
    if [[ -e $WORK/manager.pid ]]; then kill -KILL "$(cat "$WORK/manager.pid")" || true; fi
    cleanup_containers
    stop_daemon
    # The next daemon starts from nothing.
    rm -rf "$WORK"/{run,readers.*,manager.*,notify,frozen.pid,lxcfsd,lxcfsd.log}
}

# --- Old and new. ---

# for_each_release FUNCTION: calls it with OLD and OLD_HOOK set to that release's programs, and
# BACK to whether it must be able to take over again.
for_each_release() {
    local lines line commit version what
    mapfile -t lines < <(releases)
    for line in "${lines[@]}"; do
        read -r commit version BACK what <<<"$line"
        OLD=$REPO/.build/releases/$commit/lxcfsd
        OLD_HOOK=$REPO/.build/releases/$commit/lxcfs-hook
        OLD_NAME="release $version ($commit)"
        echo "--- $OLD_NAME: $what"
        [[ $("$OLD" --version) == "lxcfsd $version" ]] ||
            fail "$OLD says it is $("$OLD" --version), the list says $version"
        "$@"
        clear_away
    done
}

# program_of PID: which version a process executes, in words.
program_of() {
    if cmp -s "/proc/$1/exe" "$OLD"; then echo "$OLD_NAME"
    elif cmp -s "/proc/$1/exe" "$LXCFSD"; then echo "this version"
    else echo "neither version"; fi
}

# explain WHAT: what there is instead of what was expected.
explain() {
    local keeper worker
    keeper=$(daemon_pid)
    worker=$(worker_pid)
    fail "$1" "keeper $keeper: $(program_of "$keeper")" \
        "worker ${worker:-(none)}: $([[ -z $worker ]] || program_of "$worker")" \
        "the log of both ends with:" "$(tail -n 25 "$WORK/lxcfsd.log")"
}

# serve_with PROGRAM: starts the daemon from a file that can be replaced.
serve_with() {
    cp "$1" "$WORK/lxcfsd"
    LXCFSD=$WORK/lxcfsd start_daemon "${@:2}"
}

# put PROGRAM: the daemon's file is another one now, as package managers do it.
put() { cp "$1" "$WORK/new" && mv "$WORK/new" "$WORK/lxcfsd"; }

# Both run what is on disk, and answer.
is_whole() {
    is_program "$(daemon_pid)" "$WORK/lxcfsd" && is_program "$(worker_pid)" "$WORK/lxcfsd" &&
        [[ $(ask status --json | jq .worker) == "$(worker_pid)" ]]
}

# upgrade_to PROGRAM: worker and keeper become that, and the keeper stays the same process.
upgrade_to() {
    local keeper
    keeper=$(daemon_pid)
    put "$1"
    kill -HUP "$keeper"
    wait_for 10 is_whole || explain "no upgrade to $1"
    [[ $(ask status --json | jq .pid) == "$keeper" && $(<"$WORK/run/lxcfsd.pid") == "$keeper" ]] ||
        explain "the keeper was $keeper, and is now another process"
    [[ "lxcfsd $(ask status --json | jq -r .version)" == "$("$1" --version)" ]] ||
        explain "status tells the version $(ask status --json | jq -r .version) after $1"
}

# kill_worker: with SIGKILL; another one of the same program follows.
kill_worker() {
    local former
    former=$(worker_pid)
    kill -KILL "$former"
    wait_for 10 is_another_worker "$former" || explain "no worker after $former was killed"
    wait_for 10 ask status || explain "the worker after $former does not answer"
}

reload() {
    local former
    former=$(ask status --json | jq .workers)
    kill -HUP "$(daemon_pid)"
    wait_for 10 is_upgraded "$former" || explain "SIGHUP brought no other worker"
}

# prepare_reading: a container, four threads of readload, and readers.py.
prepare_reading() {
    prepare_survivor
    python3 "$E2E_DIR/readers.py" "$WORK" "/proc/$(container_pid survivor)/root" "$WORK/lxcfs" \
        >"$WORK/readers.txt" 2>&1 </dev/null 3>&- &
    echo $! >"$WORK/readers.pid"
    wait_for 20 test -e "$WORK/readers.ready" || fail "$(<"$WORK/readers.txt")"
}

# check_reading LABEL: fails if one read did, or was wrong.
check_reading() {
    local status=0
    touch "$WORK/readers.stop"
    wait "$(<"$WORK/readers.pid")" || status=$?
    echo "# $OLD_NAME, $1, slow and mapped: $(tail -n 1 "$WORK/readers.txt")" >&3
    [[ $status == 0 ]] || explain "readers.py: status $status, $(<"$WORK/readers.txt")"
    check_load "$OLD_NAME, $1"
}

# --- Upgrades. ---

takes_over() {
    serve_with "$OLD"
    prepare_reading
    upgrade_to "$LXCFSD"
    kill_worker
    reload
    check_reading "upgrade, kill -9, SIGHUP"
}

@test "this version takes over from a release: worker, keeper, then a kill and a SIGHUP" {
    for_each_release takes_over
}

back_and_forth() {
    serve_with "$OLD"
    prepare_reading
    local i
    for ((i = 1; i <= ${RELEASES_UPGRADES:-10}; i++)); do
        if ((i % 2)) || [[ $BACK != back ]]; then
            upgrade_to "$LXCFSD"
        else
            upgrade_to "$OLD"
        fi
    done
    check_reading "${RELEASES_UPGRADES:-10} upgrades in turns"
}

# Where a release cannot take over again, all but the first are to this version.
@test "in turns, to this version and back to the release" {
    for_each_release back_and_forth
}

# What is mounted where changes for a release: with that of this version it would tell hooks
# paths that are not there.
goes_back() {
    [[ $BACK == back ]] || return 0
    local program
    serve_with "$LXCFSD"
    prepare_reading
    mkdir -p "$WORK/bound"
    mount --bind "$WORK/lxcfs" "$WORK/bound"
    for program in "$OLD" "$LXCFSD" "$OLD"; do
        upgrade_to "$program"
        grep -q MemTotal "$WORK/lxcfs/proc/meminfo"
        grep -q MemTotal "$WORK/bound/proc/meminfo"
        grep -q "98304 kB" "$WORK/lxcfs/survivor/proc/meminfo"
        kill_worker
        comes_and_goes "$OLD_HOOK" "$LXCFS_HOOK"
        comes_and_goes "$LXCFS_HOOK" "$OLD_HOOK"
    done
    umount "$WORK/bound"
    check_reading "started by this version, back, and forth, and back"
}

@test "a release takes over from this version, with hooks and all" {
    for_each_release goes_back
}

# freeze_next: puts this version, asks for an upgrade, and stops the worker that prepares itself;
# $next is that, $former the one that serves.
freeze_next() {
    local attempt
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        put "$LXCFSD"
        stop_next
        # It takes only some milliseconds to get ready, and the one before ends soon after that.
        sleep 0.2
        if is_running "$former" && is_running "$next"; then return; fi
        [[ $BACK == back ]] || break
        go_on "$next"
        wait_for 10 is_whole || explain "no upgrade, attempt $attempt"
        upgrade_to "$OLD"
    done
    explain "the new worker was ready before it could be stopped"
}

stop_next() {
    local keeper children child
    keeper=$(daemon_pid) former=$(worker_pid) next=""
    kill -HUP "$keeper"
    local deadline=$((SECONDS + 10))
    # No other program is started meanwhile.
    until [[ -n $next ]]; do
        read -r children <"/proc/$keeper/task/$keeper/children" || true
        for child in $children; do
            [[ $child == "$former" || $(<"/proc/$child/comm") == *holder ]] || next=$child
        done
        ((SECONDS < deadline)) || explain "SIGHUP started no worker"
    done
    # The keeper ends it, too, once it has served: to execute itself.
    if kill -STOP "$next"; then echo "$next" >"$WORK/frozen.pid"; fi
}

go_on() {
    rm -f "$WORK/frozen.pid"
    kill -CONT "$1" || true
}

# The keeper executes itself anew when the new worker serves. Here it cannot, for by then there
# is no program on disk any more.
old_keeper_new_worker() {
    local keeper next former
    serve_with "$OLD"
    keeper=$(daemon_pid)
    prepare_reading
    freeze_next
    echo "nothing to execute" >"$WORK/new" && mv "$WORK/new" "$WORK/lxcfsd"
    go_on "$next"
    wait_for 10 grep -q "the keeper stays as it is" "$WORK/lxcfsd.log" ||
        explain "the keeper has not tried to execute itself anew"
    wait_for 10 ask status || explain "a new worker does not serve under an old keeper"
    [[ $(program_of "$keeper") == "$OLD_NAME" && $(program_of "$(worker_pid)") == "this version" ]] ||
        explain "there should be an old keeper and a new worker"
    kill_worker
    [[ $(program_of "$(worker_pid)") == "this version" ]] || explain "not the version before"
    # Longer than from one question of the keeper to the next one.
    sleep 3
    # A container comes, with a descriptor to be kept, and goes.
    comes_and_goes "$LXCFS_HOOK" "$OLD_HOOK"
    kill_worker
    # With a program on disk it gets on.
    upgrade_to "$LXCFSD"
    check_reading "the keeper stays old for a while"
}

@test "a new worker serves under the keeper of a release" {
    for_each_release old_keeper_new_worker
}

killed_meanwhile() {
    local i next former
    serve_with "$OLD"
    prepare_reading
    for i in 1 2 3; do
        # The new one is about to get ready, and the old one dies.
        freeze_next
        kill -KILL "$former"
        wait_for 5 is_gone "$former"
        go_on "$next"
        wait_for 10 is_whole || explain "no upgrade: the old worker was killed meanwhile"
        if [[ $BACK != back ]]; then break; fi
        upgrade_to "$OLD"
        # The same at any moment.
        put "$LXCFSD"
        former=$(worker_pid)
        kill -HUP "$(daemon_pid)"
        sleep "0.00$((i * 3))"
        kill -KILL "$former" 2>/dev/null || true
        wait_for 10 is_whole || explain "no upgrade: the old worker was killed meanwhile"
        upgrade_to "$OLD"
        # The new one dies: the old one goes on, and the next upgrade works.
        freeze_next
        kill -KILL "$next"
        rm "$WORK/frozen.pid"
        wait_for 5 is_gone "$next"
        wait_for 5 ask status
        [[ $(worker_pid) == "$former" ]] || explain "the old worker $former does not go on"
    done
    upgrade_to "$LXCFSD"
    check_reading "kill -9 while the next one prepares itself"
}

@test "kill -9 of the old worker, or the new one, while the new one prepares itself" {
    for_each_release killed_meanwhile
}

# --- What is taken over. ---

# listing: the inode numbers as directories tell them, which the daemon is asked for each time.
listing() {
    python3 - "$WORK/lxcfs" <<'PY'
import os, sys
for top, names, _ in os.walk(sys.argv[1]):
    for entry in sorted(os.scandir(top), key=lambda entry: entry.name):
        if ".opens" not in entry.path: print(entry.path, entry.inode())
PY
}

# same_inodes BEFORE AFTER: of the paths that both have. Which CPUs have directories has changed
# after release 0.1.0.
same_inodes() {
    local common
    common=$(join <(LC_ALL=C sort <<<"$1") <(LC_ALL=C sort <<<"$2"))
    (($(wc -l <<<"$common") >= 100)) || explain "too few common paths: $common"
    unchanged "an inode number" "$(cut -d ' ' -f 1,2 <<<"$common")" \
        "$(cut -d ' ' -f 1,3 <<<"$common")"
}

# The counters that do not depend on what a version calls the CPUs of a cpuset: release 0.1.0
# counts them from 0.
sums() { counters "$1" | grep -v '^cpu[0-9]'; }

slot_of() { jq .slot "$WORK/run/containers/$1.json"; }
load_of() { look "$1" /proc/loadavg | awk '{ print int($1 * 100) }'; }

# unchanged WHAT BEFORE AFTER
unchanged() {
    [[ -n $2 && $2 == "$3" ]] || explain "$1 changed:
$(diff <(echo "$2") <(echo "$3"))"
}

# each_change FUNCTION: calls it after each kind of change; the last daemon is this version.
each_change() {
    local step
    for step in "upgrade_to $LXCFSD" kill_worker reload "upgrade_to $OLD" "upgrade_to $LXCFSD"; do
        [[ $BACK == back || $step != "upgrade_to $OLD" ]] || continue
        echo "# $step"
        $step
        "$@"
    done
}

keeps_state() {
    local containers list inodes counts now gone sums=""
    serve_with "$OLD"
    make_bundle gone && start_container "${RUNTIMES[0]}" gone
    gone=$(slot_of gone)
    make_bundle working -m $((96 << 20)) -q 100000 && start_container "${RUNTIMES[0]}" working
    if (($(nproc --all) > 1)); then
        make_bundle pinned -c 1 && start_container "${RUNTIMES[0]}" pinned
        exec_container "${RUNTIMES[0]}" pinned timeout 1 sh -c 'while :; do :; done' || true
        sums=$(sums pinned)
    fi
    make_bundle last && start_container "${RUNTIMES[0]}" last
    delete_container "${RUNTIMES[0]}" last
    # A load that is not there any more when it is asked for later.
    exec_container "${RUNTIMES[0]}" working sh -c 'cat /proc/loadavg
        for i in 1 2 3 4 5 6 7 8; do timeout 6 sh -c "while :; do :; done" & done; wait'
    look working /proc/loadavg
    containers=$(cd "$WORK/run/containers" && grep . ./*)
    list=$(ask list --json | jq -S 'map(del(.uptime))')
    inodes=$(listing)
    counts=$(counters working)
    averages=$(load_of working)
    state_is_the_same() {
        unchanged "a state file" "$containers" "$(cd "$WORK/run/containers" && grep . ./*)"
        unchanged "list" "$list" "$(ask list --json | jq -S 'map(del(.uptime))')"
        same_inodes "$inodes" "$(listing)"
        now=$(counters working)
        not_backwards "$counts" "$now" || explain "counters ran backwards"
        counts=$now
        if [[ -n $sums ]]; then
            now=$(sums pinned)
            not_backwards "$sums" "$now" || explain "counters of a cpuset ran backwards"
            sums=$now
        fi
        now=$(load_of working)
        ((now <= averages + 5 && now >= averages * 7 / 10)) ||
            explain "load average $now/100 after $averages/100"
        averages=$now
        [[ $(meminfo_of working MemTotal) == 98304 ]] || explain "another limit"
    }
    ((averages >= 10)) || fail "the load is too small for this test: $averages/100"
    each_change state_is_the_same
    near "$(busy_of working)" "$(kernel_cpu working)" 30
    if [[ -n $sums ]]; then near "$(busy_of pinned)" "$(kernel_cpu pinned)" 30; fi
    # The kernel still knows the numbers of one that is gone.
    make_bundle next && start_container "${RUNTIMES[0]}" next
    (($(slot_of next) > $(slot_of working) + 1)) ||
        fail "slot $(slot_of next) was used before; working has $(slot_of working), gone $gone"
}

@test "registered containers, inode numbers, counters and load averages stay" {
    for_each_release keeps_state
}

keeps_the_switch() {
    serve_with "$OLD"
    make_bundle toggled -m $((96 << 20)) && start_container "${RUNTIMES[0]}" toggled
    kill -USR2 "$(daemon_pid)"
    wait_for 5 grep -q "shown the host" "$WORK/lxcfsd.log"
    upgrade_to "$LXCFSD"
    [[ $(ask status --json | jq .passesThrough) == true ]] || explain "SIGUSR2 is forgotten"
    kill -USR2 "$(daemon_pid)"
    wait_for 5 eval '[[ $(meminfo_of toggled MemTotal) == 98304 ]]' ||
        explain "SIGUSR2 does not work any more"
}

# read_new: a sum over files that the release need not know, of a container of this version.
read_new() {
    local root=/proc/$(container_pid newer)/root
    cat "$root/proc/vmstat" "$root/sys/devices/system/node/node0/meminfo" \
        "$root"/sys/block/*/inflight >/dev/null
}

new_files_go_and_come() {
    [[ $BACK == back ]] || return 0
    serve_with "$LXCFSD"
    make_bundle newer
    start_container "${RUNTIMES[0]}" newer
    local root inode
    root=/proc/$(container_pid newer)/root
    read_new
    inode=$(stat -c %i "$root/proc/vmstat" "$root/sys/devices/system/node/node0/meminfo")
    upgrade_to "$OLD"
    # What it does not know is an error of that file, and of no other.
    cat "$root/proc/meminfo" "$root/sys/devices/system/cpu/online" >/dev/null
    if ! run -1 cat "$root/proc/vmstat"; then fail "$output"; fi
    [[ $output == *"No such file or directory"* ]]
    upgrade_to "$LXCFSD"
    read_new
    [[ $(stat -c %i "$root/proc/vmstat" "$root/sys/devices/system/node/node0/meminfo") == "$inode" ]]
    [[ $(grep -c . "$root/proc/vmstat") == $(grep -c . /proc/vmstat) ]]
}

@test "files that a release does not know are an error there, and come back with this version" {
    for_each_release new_files_go_and_come
}

@test "SIGUSR2 stays" {
    for_each_release keeps_the_switch
}

# answered_bundle HOOK NAME COMMAND...: as podman has it changed by that hook.
answered_bundle() {
    local hook=$1 config
    make_bundle "$2" -m $((96 << 20)) -q 100000 "${@:3}"
    config=$(bundle_of "$2")/config.json
    cp "$PROGRAMS/sysinfo" "$(bundle_of "$2")/rootfs/bin"
    "$hook" precreate --no-syslog --runtime-dir "$WORK/run" --sysinfo \
        <"$config" >"$config.new" && mv "$config.new" "$config"
}

answers_calls() {
    serve_with "$OLD"
    # Until all is over, which the container is told by a file.
    answered_bundle "$OLD_HOOK" calling 'sysinfo answers 4 5; sleep 1000'
    start_container "${RUNTIMES[0]}" calling
    wait_for 5 eval '[[ $(ask status --json | jq .listeners) == 1 ]]' || explain "no listener"
    has_its_listener() {
        [[ $(ask status --json | jq .listeners) == 1 ]] ||
            explain "$(ask status --json | jq .listeners) listeners, there was 1"
    }
    each_change has_its_listener
    wait_for 15 test -s "$WORK/calling.log" || explain "its calls are not answered any more"
    echo "# $OLD_NAME, sysinfo(2) meanwhile: $(<"$WORK/calling.log")" >&3
    [[ $(<"$WORK/calling.log") == right=*" other=0 failed=0" ]] || explain "$(<"$WORK/calling.log")"
    # A process that joins it brings a listener of its own.
    run -0 exec_container "${RUNTIMES[0]}" calling free -m
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 96 ]] || explain "$output"
    delete_container "${RUNTIMES[0]}" calling
    wait_for 5 eval '[[ $(ask status --json | jq .listeners) == 0 ]]' || explain "a listener is left"
}

@test "sysinfo(2) of a container from before is answered all the time" {
    [[ -x $PROGRAMS/sysinfo ]] || skip "needs gcc to have made sysinfo"
    for_each_release answers_calls
}

loses_triggers() {
    serve_with "$OLD"
    make_bundle busy -q 20000 'while :; do :; done & while :; do :; done'
    start_container "${RUNTIMES[0]}" busy
    look busy /proc/pressure/cpu >/dev/null 2>&1 ||
        skip "the kernel keeps no pressure for containers here"
    python3 -c '
import os, select, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
def wait(seconds):
    # Who is asleep in poll while workers change is not woken (docs/reading.md).
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        poll = select.poll()
        poll.register(fd, select.POLLPRI)
        for _, events in poll.poll(200): return events
    sys.exit("nothing was told for %d s" % seconds)
os.write(fd, b"some 100000 2000000")
assert wait(20) == select.POLLPRI
open(sys.argv[2], "w").close()
while not wait(20) & select.POLLERR: time.sleep(0.01)
os.write(fd, b"some 100000 2000000")
assert wait(20) == select.POLLPRI
' "/proc/$(container_pid busy)/root/proc/pressure/cpu" "$WORK/readers.written" 3>&- &
    local poller=$!
    wait_for 20 test -e "$WORK/readers.written"
    upgrade_to "$LXCFSD"
    wait $poller || explain "a pressure trigger from before"
}

@test "pressure triggers: poll says that they are gone, and new ones can be written" {
    for_each_release loses_triggers
}

# --- Total loss. ---

# survives PROGRAM...: each is killed, and the next one goes on.
survives() {
    mkdir -p "$WORK/lxcfs" "$WORK/run"
    python3 "$E2E_DIR/service_manager.py" "$WORK" "$@" \
        >"$WORK/manager.txt" 2>&1 3>&- &
    local manager=$!
    echo $manager >"$WORK/manager.pid"
    wait_for 10 test -e "$WORK/manager.ready" || fail "$(cat "$WORK"/manager.txt "$WORK/lxcfsd.log")"
    if [[ -x $PROGRAMS/sysinfo ]]; then
        answered_bundle "$OLD_HOOK" calling 'sysinfo answers 2 4; sleep 1000'
        start_container "${RUNTIMES[0]}" calling
    fi
    prepare_reading
    touch "$WORK/manager.go"
    wait_for 60 test -e "$WORK/manager.done" || explain "$(<"$WORK/manager.txt")"
    [[ $(program_of "$(daemon_pid)") == "this version" ]] || explain "the keeper is another one"
    ! grep "starting anew\|is not whole" "$WORK/lxcfsd.log" || explain "connections were lost"
    check_reading "kill -9 of keeper and worker, the next keeper is of this version"
    ask list --json | jq -e 'map(.id) | contains(["survivor"])'
    if [[ -x $PROGRAMS/sysinfo ]]; then
        wait_for 15 test -s "$WORK/calling.log" || explain "calls are not answered any more"
        echo "# $OLD_NAME, sysinfo(2) meanwhile: $(<"$WORK/calling.log")" >&3
        [[ $(<"$WORK/calling.log") == right=*" other="$OTHERS" failed=0" ]] ||
            explain "$(<"$WORK/calling.log")"
    fi
    cleanup_containers
    touch "$WORK/manager.stop"
    wait "$manager" || explain "$(<"$WORK/manager.txt")"
    rm "$WORK/manager.pid" "$WORK/daemon.pid"
    ! grep -q " $WORK/lxcfs" /proc/self/mountinfo || fail "left mounted"
}

survives_total_loss() {
    local OTHERS=0 programs=("$OLD" "$LXCFSD" "$LXCFSD")
    [[ $BACK != back ]] || programs+=("$OLD" "$LXCFSD")
    survives "${programs[@]}"
}

@test "kill -9 of a release's keeper and worker: this version goes on with stored descriptors" {
    for_each_release survives_total_loss
}

survives_in_the_release() {
    [[ $BACK == back ]] || return 0
    local OTHERS="*"
    survives "$LXCFSD" "$OLD" "$LXCFSD"
}

# The mounts stay as this version has them, whoever answers: release 0.1.0 does not know them, and
# leaves sysinfo(2) to the kernel meanwhile (docs/handover.md).
@test "kill -9 of this version's keeper and worker: a release goes on, and this version after it" {
    for_each_release survives_in_the_release
}

# --- The control socket. ---

# comes_and_goes CREATE REMOVE: a container that one hook registers and another one unregisters.
comes_and_goes() {
    answered=false
    make_bundle comer -n -m $((96 << 20)) 'head -n 1 /proc/meminfo; sleep 1000'
    set_config comer '
        def hook($program; $stage): {path: $program, timeout: 10,
            args: ["lxcfs-hook", $stage, "--runtime-dir", $run]};
        .hooks = {createRuntime: [hook($one; "createRuntime")], poststop: [hook($other; "poststop")]}' \
        --arg one "$1" --arg other "$2" --arg run "$WORK/run"
    start_container "${RUNTIMES[0]}" comer
    wait_for 5 test -s "$WORK/comer.log"
    [[ $(<"$WORK/comer.log") == *" 98304 kB" ]] || explain "hook $1: $(<"$WORK/comer.log")"
    [[ -e $WORK/run/containers/comer.json ]] || explain "hook $1 has registered nothing"
    delete_container "${RUNTIMES[0]}" comer
    [[ ! -e $WORK/run/containers/comer.json ]] || explain "hook $2 has unregistered nothing"
    rm -rf "$(bundle_of comer)"
}

# same_answers OPERATION: both versions' clients understand the same.
same_answers() {
    local old new
    old=$("$OLD" "$1" --json --runtime-dir "$WORK/run") || fail "lxcfsd $1 of $OLD_NAME fails"
    new=$(ask "$1" --json) || fail "lxcfsd $1 of this version fails"
    # What both know, but what changes from one question to the next.
    diff <(jq -S "$2" <<<"$old") <(jq -S "$2" <<<"$new") || explain "lxcfsd $1: not the same"
    "$OLD" "$1" --runtime-dir "$WORK/run" >/dev/null || fail "lxcfsd $1 of $OLD_NAME fails"
    ask "$1" >/dev/null || fail "lxcfsd $1 of this version fails"
}

# attaches HOOK: to a container that runs without its files; and takes them away.
attaches() {
    local pid
    make_bundle bare -n -m $((96 << 20)) && start_container "${RUNTIMES[0]}" bare
    pid=$(container_pid bare)
    run -0 "$1" attach "$pid" --id bare --runtime-dir "$WORK/run" --no-syslog
    [[ $(meminfo_of bare MemTotal) == 98304 ]] || explain "attach of $1: $output"
    run -0 "$1" attach --all --runtime-dir "$WORK/run" --no-syslog
    run -0 "$1" detach "$pid" --id bare --runtime-dir "$WORK/run" --no-syslog
    [[ $(meminfo_of bare MemTotal) != 98304 ]] || explain "detach of $1: $output"
    ! ask list --json | jq -e 'map(.id) | contains(["bare"])' || explain "detach of $1: registered"
    delete_container "${RUNTIMES[0]}" bare
    rm -rf "$(bundle_of bare)"
}

# renews HOOK: after a total loss without a service manager.
renews() {
    make_bundle lost -m $((96 << 20)) && start_container "${RUNTIMES[0]}" lost
    kill -KILL "$(daemon_pid)"
    wait_for 5 is_gone "$(daemon_pid)"
    LXCFSD=$WORK/lxcfsd start_daemon
    run ! look lost /proc/meminfo
    run -0 "$1" attach --all --runtime-dir "$WORK/run" --no-syslog
    [[ $(meminfo_of lost MemTotal) == 98304 ]] || explain "attach --all of $1: $output"
    # Not by way of the other connection, whose content is not cached.
    grep " / $WORK/.* - fuse" /proc/self/mountinfo >"$WORK/readers.mounts"
    grep -q " $(awk '$5 == "/proc/meminfo" { print $3 }' "/proc/$(container_pid lost)/mountinfo") .* ro,.* - fuse" \
        "$WORK/readers.mounts" || explain "attach --all of $1: not the container's file"
    delete_container "${RUNTIMES[0]}" lost
    rm -rf "$(bundle_of lost)"
}

hooks_and_daemons() {
    local daemon
    for daemon in "$OLD" "$LXCFSD"; do
        echo "# daemon $daemon"
        serve_with "$daemon"
        make_bundle there -m $((96 << 20)) && start_container "${RUNTIMES[0]}" there
        same_answers list 'map(del(.uptime))'
        same_answers status '{version, pid, worker, workers, mountpoint, cgroupVersion, containers,
            coherence, listeners}'
        comes_and_goes "$OLD_HOOK" "$LXCFS_HOOK"
        comes_and_goes "$LXCFS_HOOK" "$OLD_HOOK"
        attaches "$OLD_HOOK"
        attaches "$LXCFS_HOOK"
        delete_container "${RUNTIMES[0]}" there
        renews "$OLD_HOOK"
        renews "$LXCFS_HOOK"
        clear_away
    done
}

@test "hooks and clients of a release with this daemon, and the other way round" {
    for_each_release hooks_and_daemons
}
