# sysinfo(2) and sched_getaffinity(2), answered by the daemon as seccomp agent.

load helpers

setup_file() {
    start_daemon
}

teardown_file() {
    stop_dockerd
    stop_daemon
}

teardown() {
    rm -rf "$WORK/hooks.d"
    cleanup_containers
}

PROGRAMS=$REPO/.build/programs
SOCKET=$WORK/run/seccomp.sock
LIMIT=$((256 << 20))

needs_program() { [[ -x $PROGRAMS/$1 ]] || skip "needs gcc to have made $1"; }

status() { "$LXCFSD" status --json --runtime-dir "$WORK/run" | jq ".$1"; }
listeners_are() { [[ $(status listeners) == "$1" ]]; }

# precreate NAME [OPTION...]: changes the bundle's config.json as podman has it changed.
precreate() {
    local config
    config=$(bundle_of "$1")/config.json
    "$LXCFS_HOOK" precreate --no-syslog --runtime-dir "$WORK/run" "${@:2}" \
        <"$config" >"$config.new" && mv "$config.new" "$config"
}

# sysinfo_bundle NAME COMMAND...: with the hook's files and calls, and the test programs.
sysinfo_bundle() {
    make_bundle "$1" -m $LIMIT -q 100000 "${@:2}"
    [[ ! -d $PROGRAMS ]] || cp "$PROGRAMS"/* "$(bundle_of "$1")/rootfs/bin"
    precreate "$1" --sysinfo
}

field() { sed "s/.*\b$1=\([0-9]*\).*/\1/" <<<"$output"; }

# --- What programs print. ---

busybox_sees_the_container() {
    sysinfo_bundle "busybox-$1" 'free -m; echo; free -k; uptime; head -n 1 /proc/uptime
        top -bn1 | head -n 4'
    run -0 run_container "$1" "busybox-$1"
    local total used free shared cache available
    read -r _ total used free shared cache available < <(grep -m 1 ^Mem: <<<"$output")
    [[ $total == 256 ]]
    # Sums must come out as they do on a host: nothing wraps.
    ((used >= 0 && used <= 256 && free > 100 && free <= 256 && shared <= 256))
    ((cache <= 256 && available <= 256 && used + free + cache <= 257)) || fail "$output"
    [[ $(grep -c "^Mem: *262144 " <<<"$output") == 1 ]]
    [[ $output == *" up 0 min,"* ]]
    # The third door to the same numbers: top reads /proc and asks sysinfo.
    [[ $output =~ Mem:\ ([0-9]+)K\ used,\ ([0-9]+)K\ free ]]
    ((BASH_REMATCH[1] + BASH_REMATCH[2] == 262144)) || fail "$output"
}

@test "busybox free, uptime and top" {
    for_each_runtime busybox_sees_the_container
}

libc_sees_the_container() {
    sysinfo_bundle "libc-$1" 'sysinfo pages; sysinfo load; cat /proc/loadavg; sysinfo show
        sysinfo bad; cat /proc/meminfo'
    run -0 run_container "$1" "libc-$1"
    [[ ${lines[0]} == "$LIMIT" ]]
    # The same averages as the file has; the last digit may differ in between.
    local asked read
    asked=$(cut -d ' ' -f 1 <<<"${lines[1]}")
    read=$(cut -d ' ' -f 1 <<<"${lines[2]}")
    awk -v a="$asked" -v b="$read" 'BEGIN { exit !(a - b < 0.3 && b - a < 0.3) }'
    local shown=${lines[3]}
    output=$shown
    [[ $(field totalram) == "$LIMIT" && $(field mem_unit) == 1 && $(field bufferram) == 0 ]]
    (($(field uptime) >= 1 && $(field uptime) < 30 * ${E2E_PATIENCE:-1})) || fail "$output"
    # Threads of runc that are about to end may be among them.
    (($(field procs) >= 1 && $(field procs) <= 10)) || fail "$output"
    (($(field freeram) <= LIMIT && $(field freeram) > LIMIT / 2)) || fail "$output"
    # What the kernel refuses it still refuses: EFAULT.
    [[ ${lines[4]} == "14 14" ]] || fail "${lines[4]}"
}

@test "glibc: _SC_PHYS_PAGES, getloadavg, and addresses that are wrong" {
    needs_program sysinfo
    for_each_runtime libc_sees_the_container
}

# The last line is whether memory that must not be written is whole.
places_are_the_kernels() {
    local name=places-$1
    sysinfo_bundle "$name" 'sysinfo places; sysinfo show; sysinfo cpus'
    precreate "$name" --affinity
    run -0 run_container "$1" "$name"
    local show=${lines[16]} answered=$output
    [[ ${lines[15]} == whole ]] || fail "$output"
    # Who is intercepted gets what who is not gets.
    run -0 "$PROGRAMS/sysinfo" places
    [[ ${answered%whole*} == "${output%whole*}" ]] || fail "$answered" "the kernel: $output"
    [[ ${lines[5]} == "sealed-file 14 14" && ${lines[6]} == "sealed-mapping 14 14" ]]
    [[ ${lines[0]} == "writable 0 0" && ${lines[1]} == "two-writable 0 0" ]]
    [[ ${lines[2]} == "readable 14 14" && ${lines[14]} == "into-readable 14 14" ]]
    output=$show
    [[ $(field totalram) == "$LIMIT" ]]
}

@test "memory that the caller may not write is not written" {
    needs_program sysinfo
    for_each_runtime places_are_the_kernels
}

narrow_caller() {
    sysinfo_bundle "narrow-$1" /bin/sysinfo32
    run -0 run_container "$1" "narrow-$1"
    [[ $output == "262144 1 1" ]] || fail "$output"
    # Without a limit it is the host's memory, too much for 32 bits.
    make_bundle "wide-$1" -m 0 /bin/sysinfo32
    cp "$PROGRAMS/sysinfo32" "$(bundle_of "wide-$1")/rootfs/bin"
    precreate "wide-$1" --sysinfo
    run -0 run_container "$1" "wide-$1"
    local total
    total=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
    if ((total >= 4 << 20)); then
        [[ $output == "$total 4096 1" ]] || fail "$output, host $total"
    fi
}

@test "a 32-bit program" {
    needs_program sysinfo32
    for_each_runtime narrow_caller
}

# Sees the host with the same eyes as in its files, else busybox prints nonsense.
without_files() {
    # One that has them, just before: the number of its mount namespace is used again.
    sysinfo_bundle "before-$1" 'free -m'
    run -0 run_container "$1" "before-$1"
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 ]]
    make_bundle "bare-$1" -n -m $LIMIT 'free -k; head -n 1 /proc/meminfo'
    precreate "bare-$1" --sysinfo
    run -0 run_container "$1" "bare-$1"
    local total used
    read -r _ total used _ < <(grep ^Mem: <<<"$output")
    [[ $output == *"$(head -n 1 /proc/meminfo)"* ]]
    ((total * 1024 > LIMIT && used < total)) || fail "$output"
}

@test "a container without the files sees the host at both doors" {
    for_each_runtime without_files
}

# As with docker -v: the files of the caller tree, and nobody has registered the container.
by_cgroup() {
    make_bundle "cgroup-$1" -n -m $LIMIT 'free -m; uptime'
    set_config "cgroup-$1" '.mounts += [{destination: "/proc/meminfo", type: "bind",
        source: $file, options: ["bind", "ro"]}]' --arg file "$WORK/lxcfs/proc/meminfo"
    precreate "cgroup-$1" --sysinfo
    run -0 run_container "$1" "cgroup-$1"
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 && $output == *"up 0 min,"* ]]
}

@test "a container that is not registered is known by its cgroup" {
    for_each_runtime by_cgroup
}

# Its files are in a filesystem of its own.
rules_filesystems() {
    sysinfo_bundle "rules-$1" 'free -m; uptime'
    set_config "rules-$1" '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
    run -0 run_container "$1" "rules-$1"
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 && $output == *"up 0 min,"* ]]
}

@test "a container with CAP_SYS_ADMIN sees itself at both doors" {
    for_each_runtime rules_filesystems
}

# --- Life and death. ---

exec_brings_its_own() {
    local name=exec-$1
    wait_for 5 listeners_are 0
    sysinfo_bundle "$name" sleep 1000
    start_container "$1" "$name"
    wait_for 5 listeners_are 1
    run -0 exec_container "$1" "$name" free -m
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 ]]
    wait_for 5 listeners_are 1
    [[ $("$LXCFSD" status --runtime-dir "$WORK/run") == *"; listening to 1"* ]]
    delete_container "$1" "$name"
    wait_for 5 listeners_are 0
}

@test "a process that is brought in has a listener of its own, and takes it along" {
    for_each_runtime exec_brings_its_own
}

@test "many callers at once, and callers that signals interrupt" {
    needs_program sysinfo
    local runtime=${RUNTIMES[0]}
    sysinfo_bundle many 'sysinfo threads 8 50; sysinfo fork 20; sysinfo signals 500'
    run -0 run_container "$runtime" many
    [[ ${lines[*]} == "400 20 0" ]] || fail "$output"
}

@test "a caller that is killed while it waits harms nobody" {
    needs_program sysinfo
    local runtime=${RUNTIMES[0]} worker victim
    worker=$(worker_pid)
    sysinfo_bundle killed 'sysinfo threads 1 1000000'
    sysinfo_bundle other sleep 1000
    start_container "$runtime" other
    start_container "$runtime" killed
    victim=$(container_pid killed)
    # Its threads wait for a daemon that does not answer.
    kill -STOP "$worker"
    sleep 0.2
    kill -KILL "$victim"
    wait_for 5 is_gone "$victim" || { kill -CONT "$worker"; return 1; }
    kill -CONT "$worker"
    run -0 exec_container "$runtime" other free -m
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 ]]
    run ! grep -E 'error' "$WORK/lxcfsd.log"
}

threads() { ls "/proc/$(daemon_pid)/task" "/proc/$(worker_pid)/task" | wc -l; }
descriptors() { ls "/proc/$(daemon_pid)/fd" "/proc/$(worker_pid)/fd" | wc -l; }
descriptors_are() { (($(descriptors) <= $1)); }

is_another_worker() {
    local pid
    pid=$(worker_pid)
    [[ -n $pid && $pid != "$1" ]]
}

# while_calling SIGNAL [PROCESS-FUNCTION]: how eight threads that call in a loop fare while a
# process of the daemon gets a signal, again and again.
while_calling() {
    local runtime=${RUNTIMES[0]} name=while-$1 i former
    sysinfo_bundle "$name" 'sysinfo answers 8 6'
    start_container "$runtime" "$name"
    for ((i = 0; i < 8; i++)); do
        sleep 0.3
        former=$(worker_pid)
        kill "-$1" "$("${2:-worker_pid}")"
        wait_for 5 is_another_worker "$former"
    done
    wait_for 15 is_gone "$(container_pid "$name")"
    output=$(cat "$WORK/$name.log")
    delete_container "$runtime" "$name"
}

@test "the worker is killed, and replaced, while calls wait: all are answered" {
    needs_program sysinfo
    local signal
    for signal in KILL HUP; do
        if [[ $signal == HUP ]]; then while_calling HUP daemon_pid; else while_calling KILL; fi
        (($(field right) > 200)) || fail "$signal: $output"
        [[ $output == *" other=0 failed=0" ]] || fail "$signal: $output"
    done
    # New listeners are taken, too.
    sysinfo_bundle later 'sysinfo show'
    run -0 run_container "${RUNTIMES[0]}" later
    [[ $(field totalram) == "$LIMIT" ]]
}

@test "the worker crashes while calls wait: the kernel answers some, none fails" {
    needs_program sysinfo
    while_calling ABRT
    (($(field right) > 200)) || fail "$output"
    (($(field other) <= 8 * 8)) || fail "$output"
    [[ $output == *" failed=0" ]] || fail "$output"
}

none_is_served() { [[ $(status containers) == 0 ]]; }

@test "10,000 calls and ten containers leave no descriptor and no thread" {
    needs_program sysinfo
    local runtime=${RUNTIMES[0]} i before_threads before each=2500
    # An emulated machine takes milliseconds for each.
    [[ -z ${E2E_PATIENCE:-} ]] || each=200
    sysinfo_bundle calls "sysinfo threads 4 $each"
    # The first round opens what is kept open.
    run -0 run_container "$runtime" calls
    wait_for 5 listeners_are 0
    wait_for 5 none_is_served
    before=$(descriptors) before_threads=$(threads)
    run -0 run_container "$runtime" calls
    [[ $output == $((4 * each)) ]]
    sysinfo_bundle short 'sysinfo show >/dev/null'
    for ((i = 0; i < 10; i++)); do run_container "$runtime" short; done
    wait_for 5 listeners_are 0
    wait_for 5 descriptors_are "$before" || fail "$(descriptors), were $before"
    [[ $(threads) == "$before_threads" ]]
}

@test "fifty listeners come, and go when nobody is left" {
    needs_program listeners
    wait_for 5 listeners_are 0
    "$PROGRAMS/listeners" "$SOCKET" 50 2 3>&- &
    local listeners=$!
    wait_for 5 listeners_are 50
    wait $listeners
    wait_for 5 listeners_are 0
}

# Together they are more than an argument of a process may be long.
@test "a thousand listeners outlive the worker" {
    needs_program listeners
    local former listeners
    wait_for 5 listeners_are 0
    "$PROGRAMS/listeners" "$SOCKET" 1000 $((8 * ${E2E_PATIENCE:-1})) 3 3>&- &
    listeners=$!
    wait_for 5 listeners_are 1000
    former=$(worker_pid)
    kill -KILL "$former"
    wait_for 5 is_another_worker "$former"
    wait_for 5 listeners_are 1000
    wait "$listeners"
    wait_for 5 listeners_are 0
}

@test "a loop is slowed down, and nobody else is" {
    needs_program sysinfo
    local runtime=${RUNTIMES[0]}
    sysinfo_bundle loop 'sysinfo spin 8 2'
    sysinfo_bundle neighbour sleep 1000
    start_container "$runtime" neighbour
    start_container "$runtime" loop
    # The agent answers others in between.
    run -0 exec_container "$runtime" neighbour sysinfo threads 1 100
    [[ $output == 100 ]]
    wait_for 10 is_gone "$(container_pid loop)"
    # 64 in 10 ms.
    (($(cat "$WORK/loop.log") > 0 && $(cat "$WORK/loop.log") <= 15000)) ||
        fail "$(cat "$WORK/loop.log")"
}

all_mapped() {
    (($(cat /proc/[0-9]*/maps 2>/dev/null | grep -c ' /hanging$') == 4))
}

# Memory that never comes: a mapping of a file on a FUSE whose server hangs.
@test "callers that hold up the agent do not hold up others" {
    needs_program sysinfo
    local runtime=${RUNTIMES[0]} i server worker
    mkdir -p "$WORK/hanging" "$WORK/hanging-run"
    "$LXCFSD" --runtime-dir "$WORK/hanging-run" "$WORK/hanging" >/dev/null 2>&1 3>&- &
    server=$!
    wait_for 5 cat "$WORK/hanging/proc/uptime"
    sysinfo_bundle stuck sleep 1000
    set_config stuck '.mounts += [{destination: "/hanging", type: "bind", source: $file,
        options: ["bind", "ro"]}]' --arg file "$WORK/hanging/proc/uptime"
    sysinfo_bundle healthy sleep 1000
    start_container "$runtime" healthy
    start_container "$runtime" stuck
    # Each with a listener of its own, and more than there are threads.
    for i in 1 2 3 4; do
        runtime_cmd "$runtime" exec --detach stuck sysinfo stuck /hanging /tmp/go \
            </dev/null >/dev/null 2>&1
    done
    wait_for 5 all_mapped
    worker=$(worker_of "$server")
    kill -STOP "$worker"
    touch "$(bundle_of stuck)/rootfs/tmp/go"
    sleep 1
    # The first calls may be left to the kernel while new threads are made.
    mem_is_256() {
        [[ $(exec_container "$runtime" healthy free -m |
            awk '$1 == "Mem:" { print $2 }') == 256 ]]
    }
    local status=0
    wait_for 5 mem_is_256 || status=1
    grep -q 'holds up all threads' "$WORK/lxcfsd.log" || status=1
    kill -CONT "$worker"
    delete_container "$runtime" stuck
    stop_process "$server"
    wait_for 5 mem_is_256
    return $status
}

# --- The socket. ---

@test "the socket is root's, and nonsense on it does no harm" {
    needs_command python3
    [[ $(stat -c %a:%u "$SOCKET") == 600:0 ]]
    python3 - "$SOCKET" <<'PYTHON'
import array, os, socket, sys

def send(data, descriptors=()):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    if data or descriptors:
        s.sendmsg([data or b" "], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                    array.array("i", descriptors))])
    return s

send(b"").close()
send(b"{}").close()
send(b'{"ociVersion":').close()
send(b"x" * 100000, [0, 1, 2]).close()
# Complete, but what comes along is no notify descriptor.
state = b'{"ociVersion":"1","fds":["seccompFd"],"pid":1,"state":' \
        b'{"ociVersion":"1","id":"a","status":"creating","pid":1,"bundle":"/"}}'
left = send(state, [os.open("/dev/null", os.O_RDONLY)])
assert left.recv(1) == b"", "the agent does not wait for the end"
kept = [send(b'{"ociVersion":') for _ in range(200)]
PYTHON
    listeners_are 0
    sysinfo_bundle after 'free -m'
    run -0 run_container "${RUNTIMES[0]}" after
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 ]]
}

# --- precreate. ---

@test "precreate leaves alone what it should" {
    local config
    make_bundle pre sleep 1000
    config=$(bundle_of pre)/config.json
    cp "$config" "$WORK/plain.json"
    # Where nobody asks for it, by the option of before, and by annotation.
    precreate pre
    [[ $(jq -r .linux.seccomp.listenerPath "$config") == "$SOCKET" ]]
    cp "$config" "$WORK/unasked.json"
    cp "$WORK/plain.json" "$config"
    precreate pre --sysinfo
    cmp "$config" "$WORK/unasked.json"
    jq '.annotations["io.lxcfs-hook.sysinfo"] = "true"' "$WORK/plain.json" >"$config"
    precreate pre --no-sysinfo
    [[ $(jq -r .linux.seccomp.listenerPath "$config") == "$SOCKET" ]]
    # Twice is once.
    cp "$config" "$WORK/once.json"
    precreate pre
    cmp "$config" "$WORK/once.json"
    local filter
    for filter in '.annotations["io.lxcfs-hook.sysinfo"] = "off"' \
        '.annotations["io.lxcfs-hook.enable"] = "false"' \
        '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/x"}' \
        '.linux.seccomp = {defaultAction: "SCMP_ACT_ERRNO"}' \
        'del(.linux.namespaces[] | select(.type == "pid"))' \
        '(.linux.namespaces[] | select(.type == "pid")).path = "/proc/self/ns/pid"' \
        'del(.linux.namespaces[] | select(.type == "mount"))' \
        '.linux.maskedPaths = [] | .linux.readonlyPaths = []' \
        '.annotations["io.lxcfs-hook.files"] = "uptime,stat"' \
        '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
            syscalls: [{names: ["sysinfo"], action: "SCMP_ACT_ERRNO"}]}'; do
        jq "$filter" "$WORK/plain.json" >"$config"
        cp "$config" "$WORK/before.json"
        precreate pre
        cmp "$config" "$WORK/before.json"
        precreate pre --sysinfo
        cmp "$config" "$WORK/before.json"
    done
    # Who is served for all that has calls answered as well.
    for filter in 'del(.linux.namespaces[] | select(.type == "pid"))
            | .annotations["io.lxcfs-hook.host-pid"] = "true"' \
        '.linux.maskedPaths = [] | .linux.readonlyPaths = []
            | .annotations["io.lxcfs-hook.unmasked"] = "true"'; do
        jq "$filter" "$WORK/plain.json" >"$config"
        precreate pre
        [[ $(jq -r .linux.seccomp.listenerPath "$config") == "$SOCKET" ]]
    done
    # A runtime of which nobody knows whether it can, unless somebody says so.
    cp "$WORK/plain.json" "$config"
    precreate pre --runtime kata
    cmp "$config" "$WORK/plain.json"
    precreate pre --runtime kata --sysinfo
    cmp "$config" "$WORK/unasked.json"
    cp "$WORK/plain.json" "$config"
    precreate pre --no-sysinfo
    cmp "$config" "$WORK/plain.json"
    # Nothing but the seccomp section differs.
    cp "$WORK/plain.json" "$config"
    precreate pre
    diff <(jq -S 'del(.linux.seccomp)' "$config") <(jq -S . "$WORK/plain.json")
    [[ $(jq -c '.linux.seccomp.syscalls' "$config") == \
        '[{"action":"SCMP_ACT_NOTIFY","names":["sysinfo"]}]' ]]
    run "$LXCFS_HOOK" precreate --sysinfo --runtime-dir "$WORK/run" --no-syslog <<<'{'
    [[ $status == 3 ]]
}

@test "precreate without a daemon: the container starts, unless it is required" {
    make_bundle absent 'head -n 1 /proc/meminfo'
    local config
    config=$(bundle_of absent)/config.json
    run -0 --separate-stderr "$LXCFS_HOOK" precreate --sysinfo --no-syslog \
        --runtime-dir "$WORK/nobody" <"$config"
    [[ $output == "$(cat "$config")" && $stderr == *"not running"* ]]
    run "$LXCFS_HOOK" precreate --sysinfo --required --no-syslog \
        --runtime-dir "$WORK/nobody" <"$config"
    [[ $status == 1 && $output == *"not running"* ]]
}

# --- podman and docker. ---

use_precreate() {
    mkdir -p "$WORK/hooks.d"
    jq --arg hook "$LXCFS_HOOK" --arg run "$WORK/run" \
        '.hook.path = $hook | .hook.args += ["--runtime-dir", $run, "--no-syslog"]' \
        "$REPO/hooks.d/$1" >"$WORK/hooks.d/${1##*/}"
}

sees_256() {
    run -0 --separate-stderr "$@" -- free -m
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 ]] || fail "$output" "$stderr"
}

# sysfs(2), which podman's own profile does not allow.
forbids() {
    [[ -x $PROGRAMS/sysinfo ]] || return 0
    run -0 --separate-stderr "$@" -v "$PROGRAMS:/programs:ro" -- /programs/sysinfo forbidden
    [[ $output == 0 ]] || fail "$output"
}

with_podman() {
    use_precreate podman/50-lxcfs-hook-sysinfo.json
    add_podman_hook
    sees_256 podman_run "$1" --memory 256m
    # podman's own profile still holds.
    forbids podman_run "$1"
    # No profile at all.
    sees_256 podman_run "$1" --memory 256m --security-opt seccomp=unconfined
    # Left alone by the hook that mounts, and so by this one: it starts, and sees the host.
    local others=(--privileged --pid=host)
    for other in "${others[@]}"; do
        run -0 --separate-stderr podman_run "$1" --memory 256m "$other" -- free -m
        [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") != 256 ]] || fail "$other: $output"
    done
    run -0 --separate-stderr podman_run "$1" --memory 256m \
        --annotation io.lxcfs-hook.sysinfo=false -- free -m
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") != 256 ]]
    rm "$WORK/hooks.d/50-lxcfs-hook-sysinfo.json"
    use_precreate podman/50-lxcfs-hook-sysinfo-annotated.json
    sees_256 podman_run "$1" --memory 256m --annotation io.lxcfs-hook.sysinfo=true
}

# With the annotated files each wish brings both: the files and the calls.
sysinfo_alone() {
    use_precreate 50-lxcfs-hook-annotated.json
    use_precreate podman/50-lxcfs-hook-sysinfo-annotated.json
    local wish
    for wish in sysinfo enable; do
        run -0 --separate-stderr podman_run "$1" --memory 256m \
            --annotation io.lxcfs-hook.$wish=true -- sh -c 'free -m; head -n 1 /proc/meminfo'
        [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 ]] ||
            fail "$wish: $output" "$stderr"
        [[ $output == *" 262144 kB" ]] || fail "$wish: $output"
    done
    # The files alone.
    run -0 --separate-stderr podman_run "$1" --memory 256m --annotation \
        io.lxcfs-hook.enable=true --annotation io.lxcfs-hook.sysinfo=false \
        -- sh -c 'free -m; head -n 1 /proc/meminfo'
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") != 256 ]] || fail "$output"
    [[ $output == *" 262144 kB" ]] || fail "$output"
    # Nobody asked for anything.
    run -0 --separate-stderr podman_run "$1" --memory 256m -- sh -c 'head -n 1 /proc/meminfo
        grep Seccomp_filters /proc/self/status'
    [[ $output != *" 262144 kB"* ]] || fail "$output"
    run -0 --separate-stderr podman_run "$1" --memory 256m \
        --annotation io.lxcfs-hook.sysinfo=true --annotation io.lxcfs-hook.enable=false \
        -- sh -c 'free -m; head -n 1 /proc/meminfo'
    [[ $output != *" 262144 kB" ]] || fail "$output"
}

@test "podman: one annotation opens both doors" {
    needs_command podman
    for_each_runtime sysinfo_alone
}

@test "podman: precreate" {
    needs_command podman
    for_each_runtime with_podman
}

base_profile() {
    local base
    for base in /usr/share/containers/seccomp.json /etc/containers/seccomp.json; do
        [[ ! -e $base ]] || { echo "$base"; return; }
    done
    return 1
}

with_profile() {
    add_podman_hook
    sees_256 podman_run "$1" --memory 256m --security-opt "seccomp=$WORK/profile.json"
    forbids podman_run "$1" --security-opt "seccomp=$WORK/profile.json"
}

@test "podman: a profile" {
    needs_command podman
    base_profile || skip "needs podman's seccomp.json"
    "$LXCFS_HOOK" seccomp-profile --base "$(base_profile)" --runtime-dir "$WORK/run" \
        >"$WORK/profile.json"
    for_each_runtime with_profile
}

@test "docker: a profile, and the files by -v" {
    needs_command dockerd
    base_profile || skip "needs a seccomp.json to start from"
    "$LXCFS_HOOK" seccomp-profile --base "$(base_profile)" --runtime-dir "$WORK/run" \
        >"$WORK/profile.json"
    start_dockerd
    local major
    major=$(docker_cmd version --format '{{.Server.Version}}' | cut -d . -f 1)
    ((major >= 23)) || skip "docker $major drops listenerPath from profiles"
    sees_256 docker_run --memory 256m --security-opt "seccomp=$WORK/profile.json" \
        -v "$WORK/lxcfs/proc/meminfo:/proc/meminfo:ro"
    stop_dockerd
}

# --- sched_getaffinity. ---

counts_cpus() {
    make_bundle "cpus-$1" -q 100000 'nproc; sysinfo cpus; true'
    cp "$PROGRAMS/sysinfo" "$(bundle_of "cpus-$1")/rootfs/bin"
    run -0 run_container "$1" "cpus-$1"
    [[ ${lines[0]} == "$(nproc)" ]]
    precreate "cpus-$1" --affinity
    run -0 run_container "$1" "cpus-$1"
    [[ ${lines[0]} == 1 ]]
    # Its own mask by number; that of another thread is the kernel's answer.
    [[ ${lines[1]} == "1 1 $(nproc)" ]] || fail "$output"
    # With the CPUs of the cpuset, nothing is taken away.
    set_config "cpus-$1" '.hooks.createRuntime[0].args += ["--cpus", "cpuset"]'
    run -0 run_container "$1" "cpus-$1"
    [[ ${lines[0]} == "$(nproc)" ]]
}

@test "nproc honours the CPU quota, if it is asked to" {
    needs_program sysinfo
    needs_cpus 2
    for_each_runtime counts_cpus
}
