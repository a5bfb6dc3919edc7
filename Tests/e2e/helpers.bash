# What the end-to-end tests have in common. A test file starts with
#
#   load helpers
#   setup_file() { start_daemon; }
#   teardown_file() { stop_daemon; }
#   teardown() { cleanup_containers; }
#
# Variables a test may use:
#   WORK         files of this test file; removed by bats
#   RUNTIMES     OCI runtimes that are installed here
#   E2E_CGROUP   the cgroup that all containers of this run are below
#   LXCFSD, LXCFS_HOOK    the binaries under test
#
# Background processes here close descriptor 3, for bats waits until nobody has it open.
# shellcheck shell=bash
# shellcheck disable=SC2016 # jq and the containers expand their variables themselves

bats_require_minimum_version 1.5.0

E2E_DIR=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
REPO=$(cd "$E2E_DIR/../.." && pwd)
: "${LXCFSD:=$REPO/.build/release/lxcfsd}"
: "${LXCFS_HOOK:=$REPO/.build/release/lxcfs-hook}"
export LXCFSD LXCFS_HOOK

WORK=${BATS_FILE_TMPDIR:-}
IMAGE_ROOTFS=${BATS_RUN_TMPDIR:-}/rootfs # made once per run by setup_suite
PODMAN_STATE=${BATS_RUN_TMPDIR:-}/podman
DOCKER_STATE=$WORK/docker
IMAGE=localhost/busybox:e2e

# Not with $_ for a loop variable: where bats traps each command, that is another word.
RUNTIMES=()
for runtime in runc crun; do
    if command -v "$runtime" >/dev/null; then RUNTIMES+=("$runtime"); fi
done
unset runtime

# shellcheck source=Tests/e2e/cgroups.bash
source "$E2E_DIR/cgroups.bash"

# --- Predicates: each skips the test and says why. ---

needs_command() { command -v "$1" >/dev/null || skip "needs $1"; }

# online_cpus: those that there are; more may be possible, and fewer this shell's.
online_cpus() { getconf _NPROCESSORS_ONLN; }

needs_cpus() {
    local have
    have=$(online_cpus)
    ((have >= $1)) || skip "needs $1 CPUs, this machine has $have"
}

# needs_cgroup v2|v1 (hybrid counts as v1: that is where its controllers are)
needs_cgroup() {
    local have
    have=$(cgroup_version)
    [[ ${have/hybrid/v1} == "$1" ]] || skip "needs cgroup $1, this machine has $have"
}

needs_kernel() {
    local have
    have=$(uname -r)
    [[ $(printf '%s\n' "$1" "$have" | sort -V | head -n 1) == "$1" ]] ||
        skip "needs Linux $1, this is $have"
}

needs_swap() { [[ $(wc -l </proc/swaps) -gt 1 ]] || skip "needs swap"; }

needs_binaries() {
    [[ -x $LXCFSD ]] || skip "not built: $LXCFSD"
    [[ -x $LXCFS_HOOK ]] || skip "not built: $LXCFS_HOOK"
}

# --- Small tools. ---

# Ends the test with a message.
fail() {
    printf '%s\n' "$@" >&2
    return 1
}

# wait_for SECONDS COMMAND...: repeats COMMAND until it succeeds. An emulated machine sets
# E2E_PATIENCE, a factor for all time limits.
wait_for() {
    local deadline=$((${EPOCHREALTIME/./} + $1 * ${E2E_PATIENCE:-1} * 1000000))
    shift
    until "$@" >/dev/null 2>&1; do
        ((${EPOCHREALTIME/./} < deadline)) || fail "timed out: $*" || return 1
        sleep 0.05
    done
}

# repeats COUNT: how often to repeat something. An emulated machine sets E2E_FEWER, a divisor.
repeats() { echo $(($1 / ${E2E_FEWER:-1})); }

# for_each_runtime FUNCTION [ARGUMENT...]: calls FUNCTION RUNTIME [ARGUMENT...] for each.
for_each_runtime() {
    local function=$1 runtime
    shift
    ((${#RUNTIMES[@]} > 0)) || fail "neither runc nor crun"
    for runtime in "${RUNTIMES[@]}"; do
        echo "--- $runtime"
        "$function" "$runtime" "$@"
    done
}

# is_running PID: false for a zombie too, which nobody may have reaped.
is_running() {
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) && [[ $state != [ZX] ]]
}

is_gone() { ! is_running "$1"; }

# stop_process PID [SECONDS]: SIGTERM, and SIGKILL when it takes longer than that (5).
# Fails if SIGKILL was needed.
stop_process() {
    kill -TERM "$1" 2>/dev/null || return 0
    wait_for "${2:-5}" is_gone "$1" && return 0
    kill -KILL "$1" 2>/dev/null
    return 1
}

# --- The daemon. State is kept in files: `run` and setup_file are other processes. ---

# start_daemon [LXCFSD-OPTION...]: serves $WORK/lxcfs; its log is $WORK/lxcfsd.log.
start_daemon() {
    start_fuse "$LXCFSD" --runtime-dir "$WORK/run" "$@" "$WORK/lxcfs"
}

# start_lxcfs [OPTION...]: the same with the original lxcfs, to compare with.
start_lxcfs() {
    start_fuse lxcfs -f -p "$WORK/lxcfs.pid" "$@" "$WORK/lxcfs"
}

start_fuse() {
    mkdir -p "$WORK/lxcfs" "$WORK/run"
    "$@" >>"$WORK/lxcfsd.log" 2>&1 </dev/null 3>&- &
    echo $! >"$WORK/daemon.pid"
    if ! wait_for 5 cat "$WORK/lxcfs/proc/meminfo"; then
        cat "$WORK/lxcfsd.log" >&2
        return 1
    fi
}

daemon_pid() { cat "$WORK/daemon.pid"; }

# worker_of DAEMON: the process that answers its requests at this moment.
worker_of() {
    local pid state
    for pid in $(cat "/proc/$1/task/"*/children); do
        state=$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) || continue
        # The other one has files open.
        [[ $state == Z || $(<"/proc/$pid/comm") == *holder ]] || echo "$pid"
    done | head -n 1
}

worker_pid() { worker_of "$(daemon_pid)"; }

# Fails if the daemon had to be killed, or left its mount behind.
stop_daemon() {
    [[ -e $WORK/daemon.pid ]] || return 0
    local status=0
    stop_process "$(daemon_pid)" || { echo "daemon did not stop" >&2; status=1; }
    rm -f "$WORK/daemon.pid"
    while mountpoint -q "$WORK/lxcfs" || grep -q " $WORK/lxcfs[ /]" /proc/self/mountinfo; do
        echo "left mounted: $WORK/lxcfs" >&2
        umount -l -R "$WORK/lxcfs" || return 1
        status=1
    done
    return $status
}

# --- Bundles. ---

# make_rootfs DIRECTORY: a root filesystem of busybox alone, all its applets as symlinks.
make_rootfs() {
    local applet
    mkdir -p "$1"/{bin,proc,sys,dev,tmp,etc,root}
    cp "$(command -v busybox)" "$1/bin/busybox"
    busybox --list | grep -vx busybox | while read -r applet; do
        ln -s busybox "$1/bin/$applet"
    done
    echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
}

# make_bundle NAME [-m BYTES] [-q QUOTA_US] [-c CPUS] [-n] [COMMAND...]
#   -m  memory limit (default 128 MiB; 0: none)   -q  CFS quota per 100 ms (default: none)
#   -c  cpuset (default: none)                    -n  without the hook
# The bundle is $WORK/bundles/NAME; its rootfs is a copy that the test may spoil. COMMAND is
# one string for `sh -c`, or several words; default `sleep 86400`.
make_bundle() {
    local name=$1 memory=$((128 << 20)) quota=0 cpus="" hook=1 option OPTIND=1
    shift
    while getopts m:q:c:n option; do
        case $option in
        m) memory=$OPTARG ;;
        q) quota=$OPTARG ;;
        c) cpus=$OPTARG ;;
        n) hook=0 ;;
        *) return 2 ;;
        esac
    done
    shift $((OPTIND - 1))
    [[ $# -gt 0 ]] || set -- sleep 86400
    [[ $# -gt 1 ]] || set -- sh -c "$1"

    local bundle
    bundle=$(bundle_of "$name")
    mkdir -p "$bundle"
    cp -a "$IMAGE_ROOTFS" "$bundle/rootfs"
    # One runtime's template for both: a test should differ in the runtime alone.
    (cd "$bundle" && rm -f config.json && "${RUNTIMES[0]}" spec)
    set_config "$name" '
        .process.terminal = false
        | .process.args = $ARGS.positional
        | .root.readonly = false
        | .linux.cgroupsPath = $cgroup
        | if $memory > 0 then .linux.resources.memory.limit = $memory else . end
        | if $quota > 0 then .linux.resources.cpu += {quota: $quota, period: 100000} else . end
        | if $cpus != "" then .linux.resources.cpu.cpus = $cpus else . end' \
        --arg cgroup "$E2E_CGROUP/$name" --argjson memory "$memory" \
        --argjson quota "$quota" --arg cpus "$cpus" --args -- "$@"
    if ((hook)); then add_hooks "$name"; fi
}

bundle_of() { echo "$WORK/bundles/$1"; }

# set_config NAME JQ-FILTER [JQ-OPTION...]: edits the bundle's config.json.
set_config() {
    local config
    config=$(bundle_of "$1")/config.json
    jq "$2" "${@:3}" <"$config" >"$config.new" && mv "$config.new" "$config"
}

# add_hooks NAME [HOOK-OPTION...]: lxcfs-hook at both of its stages.
add_hooks() {
    local name=$1
    shift
    set_config "$name" '
        def hook(stage): {path: $hook, args: (["lxcfs-hook", stage] + $ARGS.positional),
            timeout: 10};
        .hooks = {createRuntime: [hook("createRuntime")], poststop: [hook("poststop")]}' \
        --arg hook "$LXCFS_HOOK" --args -- --runtime-dir "$WORK/run" "$@"
}

# --- runc and crun. ---

# in_runtime_ns RUNTIME COMMAND...: runs COMMAND where RUNTIME works. crun refuses a hybrid
# hierarchy, so it gets a mount namespace without the v2 part: pure v1. Mounts made outside
# meanwhile still arrive in it (slave).
in_runtime_ns() {
    local runtime=$1
    shift
    if [[ ${runtime##*/} == *crun && $(cgroup_version) == hybrid ]]; then
        unshare --mount --propagation slave \
            sh -c 'umount /sys/fs/cgroup/unified && exec "$@"' sh "$@"
    else
        "$@"
    fi
}

# runtime_cmd RUNTIME ARGUMENT...: the runtime itself, on the state of this test file.
runtime_cmd() {
    local runtime=$1
    shift
    mkdir -p "$WORK/runtime-state/$runtime"
    in_runtime_ns "$runtime" "$runtime" --root "$WORK/runtime-state/$runtime" "$@" 3>&-
}

# run_container RUNTIME NAME: runs the bundle NAME to its end, in the foreground.
run_container() {
    runtime_cmd "$1" run --bundle "$(bundle_of "$2")" "$2" </dev/null
}

# start_container RUNTIME NAME: in the background; its output goes to $WORK/NAME.log.
start_container() {
    runtime_cmd "$1" run --detach --bundle "$(bundle_of "$2")" \
        --pid-file "$WORK/$2.pid" "$2" </dev/null >"$WORK/$2.log" 2>&1 ||
        { cat "$WORK/$2.log" >&2; return 1; }
}

# container_pid NAME: the init of a container from start_container, as this machine counts.
container_pid() { cat "$WORK/$1.pid"; }

# exec_container RUNTIME NAME COMMAND...
exec_container() { runtime_cmd "$1" exec "${@:2}" </dev/null; }

delete_container() { runtime_cmd "$1" delete --force "$2"; }

# For teardown: deletes every container of this test file, and what is left of the cgroups.
cleanup_containers() {
    local runtime state
    for runtime in "${RUNTIMES[@]}"; do
        for state in "$WORK/runtime-state/$runtime"/*/; do
            [[ -d $state ]] || continue
            delete_container "$runtime" "$(basename "$state")" || true
        done
    done
    rm -rf "$WORK/bundles"
    remove_test_cgroups
}

# --- podman. ---

# podman_cmd RUNTIME ARGUMENT...: podman on storage of its own.
podman_cmd() {
    local runtime=$1
    shift
    mkdir -p "$WORK/hooks.d"
    in_runtime_ns "$runtime" podman --root "$PODMAN_STATE/root" \
        --runroot "$PODMAN_STATE/run" --tmpdir "$PODMAN_STATE/tmp" --storage-driver vfs \
        --cgroup-manager cgroupfs --events-backend file --hooks-dir "$WORK/hooks.d" \
        --runtime "$runtime" "$@" 3>&-
}

# podman_run RUNTIME [RUN-OPTION...] -- COMMAND...: `podman run --rm` of the busybox image,
# with the hooks of $WORK/hooks.d (see add_podman_hook). The limits are set because podman
# raises them by default, for which it may lack CAP_SYS_RESOURCE.
podman_run() {
    local runtime=$1 options=()
    shift
    while [[ $1 != -- ]]; do options+=("$1") && shift; done
    shift
    podman_cmd "$runtime" image exists "$IMAGE" ||
        tar -C "$IMAGE_ROOTFS" -c . | podman_cmd "$runtime" import -q - "$IMAGE" >/dev/null
    podman_cmd "$runtime" run --rm --network none --cgroup-parent "$E2E_CGROUP" \
        --ulimit nofile=20000:20000 --ulimit nproc=1000:1000 \
        "${options[@]}" "$IMAGE" "$@" </dev/null
}

# add_podman_hook [HOOK-OPTION...]: lxcfs-hook for podman, as hooks.d has it, but with the
# paths of this test.
add_podman_hook() {
    mkdir -p "$WORK/hooks.d"
    local stage
    for stage in createRuntime poststop; do
        jq -n --arg hook "$LXCFS_HOOK" --arg stage $stage '
            {version: "1.0.0",
             hook: {path: $hook, args: (["lxcfs-hook", $stage] + $ARGS.positional),
                    timeout: 10},
             when: {always: true}, stages: [$stage]}' \
            --args -- --runtime-dir "$WORK/run" "$@" >"$WORK/hooks.d/lxcfs-$stage.json"
    done
}

# --- docker. ---

# start_dockerd [OPTION...]: a daemon for this test file, with nothing of the machine's.
start_dockerd() {
    mkdir -p "$DOCKER_STATE"
    # By default dockerd writes a key below /etc. There is no option for it, only a setting.
    echo "{\"deprecated-key-path\": \"$DOCKER_STATE/key.json\"}" >"$DOCKER_STATE/daemon.json"
    dockerd --data-root "$DOCKER_STATE/data" --exec-root "$DOCKER_STATE/exec" \
        --pidfile "$DOCKER_STATE/dockerd.pid" -H "unix://$DOCKER_STATE/sock" \
        --config-file "$DOCKER_STATE/daemon.json" \
        --iptables=false --ip6tables=false --ip-forward=false --bridge=none \
        --storage-driver=vfs --cgroup-parent "$E2E_CGROUP" "$@" \
        >"$DOCKER_STATE/log" 2>&1 </dev/null 3>&- &
    # The socket first: the client itself takes long on a slow machine.
    if ! wait_for 20 test -S "$DOCKER_STATE/sock" || ! wait_for 10 docker_cmd info; then
        tail -n 20 "$DOCKER_STATE/log" >&2
        return 1
    fi
    tar -C "$IMAGE_ROOTFS" -c . | docker_cmd import - "$IMAGE" >/dev/null
}

docker_cmd() {
    docker --config "$DOCKER_STATE" -H "unix://$DOCKER_STATE/sock" "$@" 3>&-
}

# docker_run [RUN-OPTION...] -- COMMAND...: `docker run --rm` of the busybox image.
docker_run() {
    local options=()
    while [[ $1 != -- ]]; do options+=("$1") && shift; done
    shift
    docker_cmd run --rm --network none "${options[@]}" "$IMAGE" "$@" </dev/null
}

# dockerd stops its containerd, and that its containers.
stop_dockerd() {
    [[ -e $DOCKER_STATE/dockerd.pid ]] || return 0
    stop_process "$(cat "$DOCKER_STATE/dockerd.pid")" 20
}
