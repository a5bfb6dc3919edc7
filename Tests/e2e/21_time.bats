# Containers in a time namespace of their own: uptime, btime, sysinfo(2) and what ps, uptime and
# psutil make of them are what the kernel says there. They are this machine's programs, in a
# container that has its /usr.

load helpers
load cpus

setup_file() { start_daemon; }

setup() {
    [[ -e /proc/self/ns/time ]] || skip "needs Linux 5.6 with time namespaces"
    unshare --help | grep -q -- --boottime || skip "needs unshare --boottime (util-linux 2.36)"
}

teardown_file() { stop_daemon; }
teardown() { cleanup_containers; }

# host_uptime: in whole seconds.
host_uptime() { cut -d . -f 1 /proc/uptime; }

# in_time OFFSET COMMAND...: in a new time namespace whose clock since boot is that far ahead.
# The runtimes of Debian 12 make none themselves; what they start inherits this one.
in_time() { unshare --time --fork --boottime "$1" "${@:2}"; }

# time_cmd RUNTIME OFFSET ARGUMENT...: the runtime in such a namespace.
time_cmd() {
    mkdir -p "$WORK/runtime-state/$1"
    in_runtime_ns "$1" unshare --time --fork --boottime "$2" \
        "$1" --root "$WORK/runtime-state/$1" "${@:3}" 3>&-
}

# start_in_time RUNTIME OFFSET NAME: in the background, its output in $WORK/NAME.log.
start_in_time() {
    time_cmd "$1" "$2" run --detach --bundle "$(bundle_of "$3")" --pid-file "$WORK/$3.pid" \
        "$3" </dev/null >"$WORK/$3.log" 2>&1 || { cat "$WORK/$3.log" >&2; return 1; }
}

# kernel_says NAME FILE: the kernel's own file of /proc, read in the container's time namespace.
kernel_says() { nsenter --time="/proc/$(container_pid "$1")/ns/time" cat "/proc/$2"; }

seconds_of() { cut -d ' ' -f 1 | cut -d . -f 1; }
btime_of() { awk '$1 == "btime" { print $2 }'; }

# near A B [BY]: whole seconds.
near() { (($1 - $2 <= ${3:-1} && $2 - $1 <= ${3:-1})) || fail "$1 is not near $2"; }

# agrees NAME [ROOT]: files below ROOT say what the kernel says in the time namespace of NAME.
agrees() {
    local proc=${2:-/proc/$(container_pid "$1")/root/proc} before shown after
    # The window of the page cache may be between them, and on a slow machine seconds.
    before=$(kernel_says "$1" uptime | seconds_of)
    shown=$(seconds_of <"$proc/uptime")
    after=$(kernel_says "$1" uptime | seconds_of)
    ((before - 1 <= shown && shown <= after)) ||
        fail "uptime $shown, kernel $before before and $after after that"
    [[ $(btime_of <"$proc/stat") == "$(kernel_says "$1" stat | btime_of)" ]] ||
        fail "btime $(btime_of <"$proc/stat"), kernel $(kernel_says "$1" stat | btime_of)"
}

# idles_since_its_start NAME: the namespace does not count in the idle time, of all its CPUs.
idles_since_its_start() {
    local idle age
    idle=$(cut -d ' ' -f 2 "/proc/$(container_pid "$1")/root/proc/uptime" | cut -d . -f 1)
    age=$(ps -o etimes= -p "$(container_pid "$1")")
    ((idle <= (age + 1) * $(nproc --all))) || fail "idle for $idle s, and started $age s ago"
}

# offsets: boot is about now; before the host's; a century later, when btime is before 1970.
offsets() { echo "-$(host_uptime) $((-$(host_uptime) / 2)) 86400 3153600000"; }

follows_the_kernel() {
    local offset name
    for offset in $(offsets); do
        name=kernel-$1-${offset/-/m}
        make_bundle "$name" 'sysinfo show; sleep 1000'
        cp "$PROGRAMS/sysinfo" "$(bundle_of "$name")/rootfs/bin"
        "$LXCFS_HOOK" precreate --sysinfo --no-syslog --runtime-dir "$WORK/run" \
            <"$(bundle_of "$name")/config.json" >"$WORK/new.json"
        mv "$WORK/new.json" "$(bundle_of "$name")/config.json"
        start_in_time "$1" "$offset" "$name"
        agrees "$name"
        # The first field alone is the namespace's: CPU time is the same in all of them.
        idles_since_its_start "$name"
        # The agent, too.
        wait_for 5 grep -q uptime= "$WORK/$name.log"
        near "$(sed 's/.*uptime=\([0-9]*\).*/\1/' "$WORK/$name.log")" \
            "$(kernel_says "$name" uptime | seconds_of)" $((10 * ${E2E_PATIENCE:-1}))
        delete_container "$1" "$name"
    done
}

@test "uptime, btime and sysinfo(2) are the kernel's in a time namespace" {
    needs_program sysinfo
    for_each_runtime follows_the_kernel
}

# Two processes: the container's init and one that is three seconds younger.
PROGRAMS_AGREE='
import os, subprocess, sys, time
patience = int(os.environ.get("PATIENCE", "1"))
age = lambda pid: float(subprocess.check_output(["ps", "-o", "etimes=", "-p", str(pid)]))
born = time.time()
child = subprocess.Popen(["python3", "-c", "\nwhile True: pass"])
time.sleep(3)
lived = time.time() - born
assert abs(age(child.pid) - lived) < 3 * patience, (age(child.pid), lived)
started = subprocess.check_output(["ps", "-o", "lstart=", "-p", str(child.pid)]).decode().strip()
_, month, day, clock, year = started.split()
month = "JanFebMarAprMayJunJulAugSepOctNovDec".index(month) // 3 + 1
hour, minute, second = map(int, clock.split(":"))
started = time.mktime((int(year), month, int(day), hour, minute, second, 0, 0, -1))
assert abs(started - born) < 3 * patience, (started, born)
cpu = float(subprocess.check_output(["ps", "-o", "%cpu=", "-p", str(child.pid)]))
words = open("/proc/%d/stat" % child.pid).read().rsplit(")", 1)[1].split()
used = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
assert cpu > 0 and abs(cpu - 100 * used / (time.time() - born)) < 25, (cpu, used)
assert age(1) < 60 * patience, age(1)
up = float(open("/proc/uptime").read().split()[0])
assert abs(up - time.clock_gettime(time.CLOCK_BOOTTIME)) < patience, up
booted = [int(line.split()[1]) for line in open("/proc/stat") if line.startswith("btime")][0]
assert abs(booted - (time.time() - up)) < 1 + patience, (booted, up)
try:
    import psutil
except ImportError:
    pass
else:
    assert psutil.boot_time() == booted
    assert abs(psutil.Process(child.pid).create_time() - born) < 2 * patience
child.kill()
print("agree")
'

# agree_in RUNTIME NAME OFFSET: programs of all kinds about processes and the machine.
agree_in() {
    cpu_bundle "$2" python3 -c "$PROGRAMS_AGREE"
    set_config "$2" ".process.env += [\"PATIENCE=${E2E_PATIENCE:-1}\"]"
    run time_cmd "$1" "$3" run --bundle "$(bundle_of "$2")" "$2" </dev/null
    [[ $status == 0 && $output == agree ]] || fail "$output"
}

programs_agree() {
    agree_in "$1" "ages-$1" "-$(host_uptime)"
    agree_in "$1" "older-$1" 1000000
}

@test "ps, uptime and psutil agree with each other and the clock, in a time namespace" {
    needs_command /usr/bin/python3
    for_each_runtime programs_agree
}

survives() {
    local name=survives-$1 state=$WORK/run/containers/survives-$1.json
    make_bundle "$name"
    start_in_time "$1" 5000 "$name"
    agrees "$name"
    [[ $(jq .bootOffset "$state") == 5000000000000 ]]
    local worker
    worker=$(worker_pid)
    kill -KILL "$worker"
    wait_for 5 agrees "$name"
    # What release 0.1.0 writes of a container, and another one without a namespace beside it.
    make_bundle "plain-$1"
    start_container "$1" "plain-$1"
    jq 'del(.bootOffset, .knowsTime)' "$state" >"$state.old"
    mv "$state.old" "$state"
    kill -HUP "$(daemon_pid)"
    sleep 1
    wait_for 5 agrees "$name"
    local plain
    plain=$(seconds_of <"/proc/$(container_pid "plain-$1")/root/proc/uptime")
    near "$plain" 0 $((60 * ${E2E_PATIENCE:-1}))
    [[ $(btime_of <"/proc/$(container_pid "plain-$1")/root/proc/stat") == \
        "$(btime_of </proc/stat)" ]]
    delete_container "$1" "plain-$1"
    delete_container "$1" "$name"
}

@test "the next worker knows the time namespace, also of a container from release 0.1.0" {
    for_each_runtime survives
}

# As in a pod: the second container lives in the namespace of the first, and is younger.
shared() {
    make_bundle "first-$1"
    start_in_time "$1" 7000 "first-$1"
    sleep 1
    make_bundle "second-$1"
    in_runtime_ns "$1" nsenter --time="/proc/$(container_pid "first-$1")/ns/time" \
        "$1" --root "$WORK/runtime-state/$1" run --detach --bundle "$(bundle_of "second-$1")" \
        --pid-file "$WORK/second-$1.pid" "second-$1" </dev/null >/dev/null 3>&-
    [[ $(readlink "/proc/$(container_pid "first-$1")/ns/time") == \
        "$(readlink "/proc/$(container_pid "second-$1")/ns/time")" ]]
    agrees "second-$1"
    agrees "first-$1"
    # Load averages and CPU time stay its own: the idle time is from its start.
    idles_since_its_start "second-$1"
    delete_container "$1" "second-$1"
    delete_container "$1" "first-$1"
}

@test "a time namespace that belongs to another container" {
    for_each_runtime shared
}

# As with docker -v: nobody has registered the container.
callers_tree() {
    local name=caller-$1
    make_bundle "$name" -n 'cat /proc/uptime; grep btime /proc/stat; sleep 1000'
    set_config "$name" '.mounts += ["uptime", "stat" | {destination: "/proc/\(.)", type: "bind",
        source: "\($dir)/proc/\(.)", options: ["bind", "ro"]}]' --arg dir "$WORK/lxcfs"
    start_in_time "$1" 3000 "$name"
    wait_for 5 grep -q btime "$WORK/$name.log"
    near "$(head -n 1 "$WORK/$name.log" | seconds_of)" \
        "$(kernel_says "$name" uptime | seconds_of)" $((5 * ${E2E_PATIENCE:-1}))
    [[ $(btime_of <"$WORK/$name.log") == "$(kernel_says "$name" stat | btime_of)" ]]
    delete_container "$1" "$name"
}

@test "the caller tree, in a time namespace" {
    for_each_runtime callers_tree
    # A process of the host's, in one and outside.
    local inside outside
    inside=$(in_time 4000 cat "$WORK/lxcfs/proc/uptime" | seconds_of)
    outside=$(seconds_of <"$WORK/lxcfs/proc/uptime")
    near $((inside - outside)) 4000 $((2 * ${E2E_PATIENCE:-1}))
    near "$(in_time 4000 cat "$WORK/lxcfs/proc/stat" | btime_of)" \
        "$(in_time 4000 cat /proc/stat | btime_of)" 0
}

passes_through() {
    local name=through-$1
    make_bundle "$name"
    start_in_time "$1" 9000 "$name"
    kill -USR2 "$(daemon_pid)"
    wait_for 5 grep -q shown "$WORK/lxcfsd.log"
    sleep 0.1
    agrees "$name"
    # The CPU time is the host's, as the kernel has it in each namespace.
    near "$(cut -d ' ' -f 2 "/proc/$(container_pid "$name")/root/proc/uptime" |
        cut -d . -f 1)" "$(cut -d ' ' -f 2 /proc/uptime | cut -d . -f 1)" \
        $((5 * ${E2E_PATIENCE:-1}))
    kill -USR2 "$(daemon_pid)"
    sleep 0.2
    agrees "$name"
    delete_container "$1" "$name"
}

@test "who is shown the host is shown it as in the time namespace" {
    for_each_runtime passes_through
}

# attach to a process that has made a namespace for its children and does not live in it.
@test "a container whose init has made a time namespace for others" {
    /usr/bin/python3 -c 'import ctypes' || skip "needs Python's ctypes"
    # shellcheck disable=SC2016
    cpu_bundle maker -n python3 -c '
import ctypes, time
CLONE_NEWTIME = 0x80
assert ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWTIME) == 0, ctypes.get_errno()
open("/proc/self/timens_offsets", "w").write("boottime 8000 0")
print("made", flush=True)
time.sleep(1000)'
    set_config maker '.process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN",
        "CAP_SYS_TIME"])'
    start_container "${RUNTIMES[0]}" maker
    wait_for 5 grep -q made "$WORK/maker.log" || fail "$(<"$WORK/maker.log")"
    "$LXCFS_HOOK" attach "$(container_pid maker)" --id maker --no-syslog \
        --runtime-dir "$WORK/run"
    near "$(seconds_of <"/proc/$(container_pid maker)/root/proc/uptime")" 0 \
        $((60 * ${E2E_PATIENCE:-1}))
    [[ $(btime_of <"/proc/$(container_pid maker)/root/proc/stat") == \
        "$(btime_of </proc/stat)" ]]
}

# --- io.lxcfs-hook.time ---

# precreate NAME [OPTION...]: changes the bundle's config.json; what it says is $output.
precreate() {
    local config
    config=$(bundle_of "$1")/config.json
    run -0 --separate-stderr "$LXCFS_HOOK" precreate --no-syslog --runtime-dir "$WORK/run" \
        "${@:2}" <"$config"
    echo "$output" >"$config"
    output=$stderr
}

# makes_time RUNTIME: whether it makes time namespaces with offsets (runc 1.2, crun 1.8.4).
makes_time() {
    local version
    version=$("$1" --version | awk '{ print $3; exit }')
    case ${1##*/} in
    runc) "$1" features | jq -e '.linux.namespaces | index("time")' ;;
    crun) [[ $(printf '%s\n' 1.8.4 "$version" | sort -V | head -n 1) == 1.8.4 ]] ;;
    esac >/dev/null 2>&1
}

# E2E_RUNTIMES_DIR has newer runtimes than the machine, as Debian's packages of a later release
# have them. Paths of those that can, or that cannot, of all that there are.
runtimes_that() {
    local name path
    for name in runc crun; do
        for path in "$(command -v $name)" "${E2E_RUNTIMES_DIR:-/nonexistent}/$name"; do
            [[ -x $path ]] || continue
            if makes_time "$path"; then echo "can $path"; else echo "cannot $path"; fi
        done
    done | sed -n "s/^$1 //p"
}

# path_cmd PATH ARGUMENT...: as runtime_cmd, for a runtime that is not on PATH.
path_cmd() {
    mkdir -p "$WORK/runtime-state/${1##*/}"
    in_runtime_ns "${1##*/}" "$1" --root "$WORK/runtime-state/${1##*/}" "${@:2}" 3>&-
}

@test "a runtime that makes no time namespaces starts the container without one" {
    local path config
    [[ -n $(runtimes_that cannot) ]] || skip "needs a runtime that cannot"
    for path in $(runtimes_that cannot); do
        make_bundle without 'grep -c . /proc/1/timens_offsets; cat /proc/uptime'
        config=$(bundle_of without)/config.json
        cp "$config" "$WORK/before.json"
        precreate without --no-sysinfo --time --runtime "$path"
        [[ $output == *"warning: no time namespace: $path ("*"runc 1.2 and crun 1.8.4"* ]] ||
            fail "$output"
        cmp <(jq -S . "$config") <(jq -S . "$WORK/before.json")
        run -0 path_cmd "$path" run --bundle "$(bundle_of without)" without </dev/null
        near "$(tail -n 1 <<<"$output" | seconds_of)" 0 $((60 * ${E2E_PATIENCE:-1}))
        # The annotation as well; what is required is not left out.
        set_config without '.annotations["io.lxcfs-hook.time"] = "true"'
        run "$LXCFS_HOOK" precreate --required --no-syslog --runtime-dir "$WORK/run" \
            --runtime "$path" <"$config"
        [[ $status == 1 && $output == *"no time namespace"* ]] || fail "$output"
    done
}

# Without podman nobody says which runtime it will be, so all that are there must be able.
@test "who gets no time namespace, and is told why" {
    local path filter
    path=$(runtimes_that can | head -n 1)
    [[ -n $path ]] || path=/nosuch
    make_bundle alone
    cp "$(bundle_of alone)/config.json" "$WORK/plain.json"
    for filter in 'del(.linux.namespaces[] | select(.type == "pid"))' \
        '(.linux.namespaces[] | select(.type == "pid")).path = "/proc/1/ns/pid"' \
        '.linux.namespaces += [{type: "time", path: "/proc/1/ns/time"}]' \
        '.linux.timeOffsets = {monotonic: {secs: 1}}'; do
        jq "$filter" "$WORK/plain.json" >"$(bundle_of alone)/config.json"
        precreate alone --no-sysinfo --time --runtime "$path"
        [[ $output == *"info: no time namespace: "* ]] || fail "$filter: $output"
        cmp <(jq -S . "$(bundle_of alone)/config.json") <(jq -S "$filter" "$WORK/plain.json")
    done
    for filter in enable time; do
        jq ".annotations[\"io.lxcfs-hook.$filter\"] = \"false\"" "$WORK/plain.json" \
            >"$(bundle_of alone)/config.json"
        precreate alone --no-sysinfo --time --runtime "$path"
        [[ $(jq .linux.timeOffsets "$(bundle_of alone)/config.json") == null ]]
    done
    cp "$WORK/plain.json" "$(bundle_of alone)/config.json"
    precreate alone --no-sysinfo --time --runtime /nosuch
    [[ $output == *"warning: no time namespace: the runtime /nosuch is not found"* ]] ||
        fail "$output"
}

boots_now() {
    local name=boots-${1##*/} uptime
    # Files, calls and the kernel's own clocks.
    cpu_bundle "$name" "python3 -c '$PROGRAMS_AGREE' && sysinfo show && busybox uptime"
    cp "$PROGRAMS/sysinfo" "$(bundle_of "$name")/rootfs/bin"
    set_config "$name" ".annotations[\"io.lxcfs-hook.time\"] = \"true\" |
        .process.env += [\"PATIENCE=${E2E_PATIENCE:-1}\"]"
    precreate "$name" --runtime "$1"
    [[ $output != *warning* ]] || fail "$output"
    run -0 --separate-stderr path_cmd "$1" run --bundle "$(bundle_of "$name")" "$name" </dev/null
    [[ ${lines[0]} == agree ]] || fail "$output"
    uptime=$(sed 's/.*uptime=\([0-9]*\).*/\1/' <<<"${lines[1]}")
    near "$uptime" 0 $((60 * ${E2E_PATIENCE:-1}))
    [[ ${lines[2]} == *" up "[0-9]" min,"* ]] || fail "$output"
    # What exec brings in is in it, too.
    make_bundle "$name-exec"
    set_config "$name-exec" '.annotations["io.lxcfs-hook.time"] = "true"'
    precreate "$name-exec" --runtime "$1"
    path_cmd "$1" run --detach --bundle "$(bundle_of "$name-exec")" --pid-file \
        "$WORK/$name-exec.pid" "$name-exec" </dev/null >/dev/null 2>&1
    agrees "$name-exec"
    run -0 --separate-stderr path_cmd "$1" exec "$name-exec" cat /proc/self/timens_offsets /proc/1/timens_offsets
    [[ ${lines[1]} == "${lines[3]}" && ${lines[1]} =~ boottime\ +-[1-9] ]] || fail "$output"
    path_cmd "$1" delete --force "$name-exec"
}

@test "io.lxcfs-hook.time: everything agrees that the container has just been booted" {
    needs_program sysinfo
    needs_command /usr/bin/python3
    local path
    [[ -n $(runtimes_that can) ]] || skip "needs runc 1.2 or crun 1.8.4, see E2E_RUNTIMES_DIR"
    for path in $(runtimes_that can); do boots_now "$path"; done
}

# podman says on its command line what it will start, so nobody has to say it to the hook.
podman_time() {
    run --separate-stderr podman_run "$1" --memory 256m -v /usr:/usr:ro -v /lib:/lib:ro \
        -v /lib64:/lib64:ro --annotation io.lxcfs-hook.time=true -- \
        /usr/bin/python3 -c "$PROGRAMS_AGREE"
    [[ $status == 0 && $output == agree ]] || fail "$output" "$stderr"
    run -0 --separate-stderr podman_run "$1" --memory 256m \
        --annotation io.lxcfs-hook.time=true -- sh -c 'free -m; head -n 1 /proc/meminfo'
    # It stands for the files and the calls.
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 ]] || fail "$output" "$stderr"
    [[ $output == *" 262144 kB" ]] || fail "$output"
}

use_annotated_files() {
    local file
    mkdir -p "$WORK/hooks.d"
    for file in 50-lxcfs-hook-annotated podman/50-lxcfs-hook-sysinfo-annotated; do
        jq --arg hook "$LXCFS_HOOK" --arg run "$WORK/run" \
            '.hook.path = $hook | .hook.args += ["--runtime-dir", $run, "--no-syslog"]' \
            "$REPO/hooks.d/$file.json" >"$WORK/hooks.d/${file##*/}.json"
    done
}

@test "podman: io.lxcfs-hook.time" {
    needs_command podman
    needs_command /usr/bin/python3
    local path
    use_annotated_files
    # It starts in any case.
    for path in $(runtimes_that cannot); do
        run -0 --separate-stderr podman_run "${path##*/}" --annotation \
            io.lxcfs-hook.time=true -- cat /proc/1/timens_offsets
        [[ $output =~ boottime\ +0 ]] || fail "$output"
    done
    [[ -n $(runtimes_that can) ]] || skip "needs runc 1.2 or crun 1.8.4, see E2E_RUNTIMES_DIR"
    for path in $(runtimes_that can); do podman_time "$path"; done
}
