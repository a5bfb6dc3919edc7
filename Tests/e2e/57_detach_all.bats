# `lxcfs-hook detach --all`: what has to be done before the daemon is removed.

load helpers

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }
teardown() { cleanup_containers; }

detach_all() {
    "$LXCFS_HOOK" detach --all --runtime-dir "$WORK/run" --no-syslog "$@"
}

# total NAME: MemTotal as the container reads it.
total() {
    exec_container "${RUNTIMES[0]}" "$1" awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo
}
host_total() { awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo; }

# start NAME [JQ-FILTER]
start() {
    make_bundle "$1" -m $((64 << 20))
    set_config "$1" "${2:-.}"
    start_container "${RUNTIMES[0]}" "$1"
}

# bound NAME: without the hook, with a file bound as docker -v does.
bound() {
    make_bundle "$1" -n -m $((64 << 20))
    # shellcheck disable=SC2016
    set_config "$1" '.mounts += [{destination: "/proc/meminfo", type: "bind", options: ["bind", "rw"],
        source: $from}]' --arg from "$WORK/lxcfs/proc/meminfo"
    start_container "${RUNTIMES[0]}" "$1"
}

left() { # NAME: how many mounts of ours it still has
    exec_container "${RUNTIMES[0]}" "$1" \
        grep -cE ' - (fuse\.lxcfs|overlay lxcfs) ' /proc/self/mountinfo || true
}

@test "every container has the kernel's files again, however it got ours" {
    start hooked
    # With an overlay of its own.
    start ruler '.process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
    bound bound
    local name
    for name in hooked ruler bound; do [[ $(total "$name") == 65536 ]] || fail "$name"; done
    run -0 detach_all
    echo "$output"
    [[ ${lines[-1]} == *" of "*" containers detached" ]]
    for name in hooked ruler bound; do
        [[ $(total "$name") == "$(host_total)" && $(left "$name") == 0 ]] || fail "$name: $output"
    done
    [[ $("$LXCFSD" list --json --runtime-dir "$WORK/run") == "[]" ]]
    # The daemon serves on.
    start later
    [[ $(total later) == 65536 ]]
    run -0 detach_all
    run -0 detach_all
    [[ ${lines[-1]} == *"0 of 0 containers detached" ]] || fail "$output"
}

@test "only those files that are named" {
    start some
    run -0 detach_all --files meminfo
    [[ $(total some) == "$(host_total)" && $(left some) -gt 5 ]]
    [[ $("$LXCFSD" list --json --runtime-dir "$WORK/run" | jq length) == 1 ]]
}

@test "files of another daemon stay" {
    start ours
    local other=$WORK/other pid
    mkdir -p "$other/run" "$other/lxcfs"
    "$LXCFSD" --runtime-dir "$other/run" "$other/lxcfs" 2>/dev/null 3>&- &
    pid=$!
    wait_for 5 cat "$other/lxcfs/proc/meminfo"
    WORK=$other bound theirs
    run -0 detach_all
    local after
    after=$(WORK=$other total theirs)
    [[ $(total ours) == "$(host_total)" && $after == 65536 ]] || fail "$output" "theirs: $after"
    WORK=$other delete_container "${RUNTIMES[0]}" theirs
    stop_process "$pid"
}

@test "after the daemon: dead files are taken away" {
    start dead
    stop_daemon
    run ! total dead
    run -0 detach_all
    echo "$output"
    [[ $(total dead) == "$(host_total)" && $(left dead) == 0 ]]
    run -0 detach_all
    start_daemon
}
