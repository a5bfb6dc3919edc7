# The harness itself: every runtime starts a container that sees its own limit.
# When one of these fails, do not look at any other test.

load helpers

teardown() {
    stop_daemon
    cleanup_containers
}

LIMIT=$((96 << 20))
READ_LIMIT='cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null;:'

runs_with_its_limit() {
    make_bundle "limit-$1" -n -m $LIMIT "$READ_LIMIT"
    run -0 run_container "$1" "limit-$1"
    [[ $output == "$LIMIT" ]]
}

@test "runc and crun: a container reads its memory limit" {
    for_each_runtime runs_with_its_limit
}

stays_and_is_deleted() {
    make_bundle "stays-$1" -n -m $LIMIT -q 150000 -c 0
    start_container "$1" "stays-$1"
    run -0 exec_container "$1" "stays-$1" sh -c "$READ_LIMIT"
    [[ $output == "$LIMIT" ]]
    local pid
    pid=$(container_pid "stays-$1")
    grep -q '^Cpus_allowed_list:	0$' "/proc/$pid/status"
    grep -q "$E2E_CGROUP/stays-$1" "/proc/$pid/cgroup"
    cleanup_containers
    is_gone "$pid"
    [[ -z $(cgroup_dirs) ]]
}

@test "runc and crun: a container in the background, exec in it, clean-up" {
    for_each_runtime stays_and_is_deleted
}

runs_a_hook() {
    make_bundle "hook-$1" -n true
    set_config "hook-$1" '.hooks.createRuntime = [{path: "/bin/sh",
        args: ["sh", "-c", "cat >$0", $file]}]' --arg file "$WORK/state-$1.json"
    run_container "$1" "hook-$1"
    [[ $(jq -r .id "$WORK/state-$1.json") == "hook-$1" ]]
}

@test "runc and crun: a hook gets the state of the container" {
    for_each_runtime runs_a_hook
}

podman_runs_a_hook() {
    mkdir -p "$WORK/hooks.d"
    jq -n --arg file "$WORK/podman-$1.json" '{version: "1.0.0", when: {always: true},
        hook: {path: "/bin/sh", args: ["sh", "-c", "cat >$0", $file], timeout: 5},
        stages: ["createRuntime"]}' >"$WORK/hooks.d/state.json"
    run -0 podman_run "$1" --memory $LIMIT -- sh -c "$READ_LIMIT"
    [[ $output == "$LIMIT" ]]
    [[ $(jq -r '.annotations["io.container.manager"]' "$WORK/podman-$1.json") == libpod ]]
}

@test "podman on runc and crun: limit and hook" {
    needs_command podman
    for_each_runtime podman_runs_a_hook
}

@test "docker: limit, and a file of lxcfs over /proc/meminfo" {
    needs_command docker
    needs_command dockerd
    needs_command lxcfs
    start_lxcfs
    start_dockerd
    # Apart from stderr, where docker warns of what it misses in the kernel.
    run --separate-stderr docker_run --memory $LIMIT -v "$WORK/lxcfs/proc/meminfo:/proc/meminfo:rw" -- \
        sh -c "$READ_LIMIT; grep MemTotal /proc/meminfo"
    stop_dockerd
    echo "$output"
    [[ $status == 0 ]]
    [[ ${lines[0]} == "$LIMIT" ]]
    [[ ${lines[1]} == MemTotal:*$((LIMIT >> 10))\ kB ]]
}

@test "lxcfs starts and stops with nothing left mounted" {
    needs_command lxcfs
    start_lxcfs
    [[ -d /proc/$(daemon_pid) ]]
    stop_daemon
    ! grep "$WORK/lxcfs" /proc/self/mountinfo
}

@test "skips say why" {
    needs_cpus 1
    needs_kernel 5.0
    needs_cgroup "$(cgroup_version | sed 's/hybrid/v1/')"
    (skip() { echo "skip: $*"; }; [[ $(needs_cpus 5000) == "skip: needs 5000 CPUs"* ]])
    (skip() { echo "skip: $*"; }; [[ $(needs_kernel 999) == "skip: needs Linux 999"* ]])
    (skip() { echo "skip: $*"; }; [[ $(needs_command no-such) == "skip: needs no-such" ]])
}
