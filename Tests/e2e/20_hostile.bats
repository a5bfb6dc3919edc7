# A root filesystem belongs to whoever made the image. Whatever it holds: nothing is mounted
# outside of the container's procfs and sysfs, and the message names the reason.

load helpers

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }

setup() { HOST_MOUNTS=$(host_mounts); }

teardown() {
    cleanup_containers
    # Nothing that the hook mounts ever shows outside of the container.
    diff <(echo "$HOST_MOUNTS") <(host_mounts)
    [[ $(stat -f -c %T /proc/meminfo) == proc && $(stat -f -c %T /etc/passwd) != fuse* ]]
}

host_mounts() { awk '{ print $5, $(NF - 2) }' /proc/self/mountinfo | sort; }


rootfs_of() { echo "$(bundle_of "$1")/rootfs"; }

without_proc() {
    local runtime=$1 name=noproc-$1
    make_bundle "$name" 'echo started; head -c 4 /proc/meminfo /etc/passwd'
    set_config "$name" '.mounts |= map(select(.destination != "/proc"))
        | .linux.maskedPaths = ["/x"] | .linux.readonlyPaths = []'
    rm -rf "$(rootfs_of "$name")/proc"
    mkdir "$(rootfs_of "$name")/proc"
    ln -s /etc/passwd "$(rootfs_of "$name")/proc/meminfo"
    echo plain >"$(rootfs_of "$name")/proc/uptime"
    run runtime_cmd "$runtime" run --bundle "$(bundle_of "$name")" "$name"
    echo "$output"
    # runc itself cannot do without /proc; crun can, and then the container starts.
    [[ $runtime == runc || $output == *started* ]] || fail "$output"
    # Neither the link's target nor the plain file has been covered.
    [[ $(cat "$(rootfs_of "$name")/proc/uptime") == plain ]]
    [[ $runtime == runc || $output == *root* ]]
}

@test "no proc mount: symlink and plain files in its place" {
    for_each_runtime without_proc
}

# The runtime refuses a rootfs whose /proc is a symlink before any hook; what must hold is
# that the host is untouched.
proc_is_a_link() {
    local runtime=$1 target
    for target in ../../.. /etc sys; do
        local name=link-$1-${target//[^a-z]/}
        make_bundle "$name" 'echo started'
        rm -rf "$(rootfs_of "$name")/proc"
        ln -s "$target" "$(rootfs_of "$name")/proc"
        run runtime_cmd "$runtime" run --bundle "$(bundle_of "$name")" "$name"
        echo "$status $output"
    done
    make_bundle "syslink-$1" 'echo started'
    rm -rf "$(rootfs_of "syslink-$1")/sys"
    ln -s ../../.. "$(rootfs_of "syslink-$1")/sys"
    run runtime_cmd "$runtime" run --bundle "$(bundle_of "syslink-$1")" "syslink-$1"
    echo "$status $output"
}

@test "proc and sys are symlinks out of the rootfs" {
    for_each_runtime proc_is_a_link
}

# For what a runtime would not let through: the hook alone, on a mount namespace that the
# test has made the way a container's is just before pivot_root.
#
# hook_on SETUP [OPTION...]: SETUP runs in the namespace with $rootfs set.
hook_on() {
    local setup=$1 bundle pid
    shift
    bundle=$(bundle_of alone)
    make_bundle alone true
    set_config alone '.linux.cgroupsPath = ""'
    rm -f "$WORK/ready"
    rootfs=$bundle/rootfs ready=$WORK/ready setup=$setup \
        unshare --mount --pid --fork --propagation private --kill-child sh -c '
            mount --bind "$rootfs" "$rootfs"
            eval "$setup"
            touch "$ready"
            exec sleep 1000' >"$WORK/alone.log" 2>&1 3>&- &
    echo $! >"$WORK/alone.pid"
    wait_for 5 test -e "$WORK/ready" || fail "$(cat "$WORK/alone.log")"
    pid=$(pgrep -P "$(cat "$WORK/alone.pid")")
    run "$LXCFS_HOOK" createRuntime --runtime-dir "$WORK/run" --no-syslog "$@" <<<"{
        \"ociVersion\": \"1.0.2\", \"id\": \"alone\", \"status\": \"creating\",
        \"pid\": $pid, \"bundle\": \"$bundle\"}"
    INSIDE=$(nsenter -t "$pid" -m awk -v root="$bundle" \
        'index($5, root) && $(NF - 2) ~ /fuse/ { print $5 }' /proc/self/mountinfo)
    kill -KILL "$pid"
    wait "$(cat "$WORK/alone.pid")" 2>/dev/null || true
    echo "$output"
}

MOUNTED='mount -t proc proc "$rootfs/proc"; mount -t sysfs sysfs "$rootfs/sys"'

@test "the hook alone: an ordinary rootfs" {
    hook_on "$MOUNTED" --required
    [[ $status == 0 ]]
    [[ $INSIDE == *rootfs/proc/meminfo* && $INSIDE == *rootfs/sys/devices/system/cpu* ]]
}

@test "the hook alone: nothing is mounted over a plain file" {
    hook_on 'echo x >"$rootfs/proc/meminfo"; mount -t sysfs sysfs "$rootfs/sys"'
    [[ $status == 0 && $output == *proc*"not"* ]]
    [[ $INSIDE != *meminfo* ]]
    hook_on 'echo x >"$rootfs/proc/meminfo"; mount -t sysfs sysfs "$rootfs/sys"' --required
    [[ $status == 1 && $INSIDE != *meminfo* ]]
}

@test "the hook alone: proc/meminfo is a symlink" {
    hook_on 'mount -t tmpfs tmpfs "$rootfs/proc"; ln -s /etc/passwd "$rootfs/proc/meminfo"' \
        --required
    [[ $status == 1 && -z $INSIDE ]]
}

@test "the hook alone: proc is a symlink to the host's" {
    hook_on 'rmdir "$rootfs/proc"; ln -s /proc "$rootfs/proc"' --required
    [[ $status == 1 && -z $INSIDE ]]
    hook_on 'rmdir "$rootfs/proc"; ln -s ../../../../../../../proc "$rootfs/proc"'
    [[ $status == 0 && $output == *"proc"* && -z $INSIDE ]]
}

@test "the hook alone: a directory where the file should be, a file for the directory" {
    hook_on "$MOUNTED"'; mkdir /tmp/d && mount --bind /proc/sys "$rootfs/proc/meminfo" 2>/dev/null
        mount --bind /proc/sys "$rootfs/proc/sys"
        mount -t tmpfs tmpfs "$rootfs/sys"; mkdir -p "$rootfs/sys/devices/system"
        echo x >"$rootfs/sys/devices/system/cpu"'
    [[ $status == 0 ]]
    [[ $INSIDE != *sys/devices* ]]
}

@test "the hook alone: a file of the user's own is left alone" {
    hook_on "$MOUNTED"'; echo mine >"$rootfs/mine"
        mount --bind "$rootfs/mine" "$rootfs/proc/meminfo"'
    [[ $status == 0 ]]
    [[ $INSIDE != *meminfo* && $INSIDE == *uptime* ]]
}

own_mount() {
    local name=own-$1
    make_bundle "$name" 'head -n 1 /proc/meminfo; cat /proc/uptime'
    echo "mine" >"$(bundle_of "$name")/mine"
    set_config "$name" '.mounts += [{destination: "/proc/meminfo", type: "bind",
        source: $file, options: ["bind", "ro"]}]' --arg file "$(bundle_of "$name")/mine"
    run -0 run_container "$1" "$name"
    [[ $(grep -v level= <<<"$output" | head -n 1) == mine ]]
    [[ ${lines[-1]} =~ ^[0-9]\. ]]
}

@test "a file that config.json mounts is the user's" {
    for_each_runtime own_mount
}

unmasked() {
    local name=unmasked-$1
    make_bundle "$name" 'head -n 1 /proc/meminfo'
    set_config "$name" '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
    run -0 run_container "$1" "$name"
    [[ ${lines[-1]} == "$(head -n 1 /proc/meminfo)" ]]
    add_hooks "$name" --unmasked
    run -0 run_container "$1" "$name"
    [[ ${lines[-1]} == MemTotal:*131072\ kB ]]
}

@test "a container with an unmasked /proc is left alone unless asked" {
    for_each_runtime unmasked
}

shares() {
    local name=shared-$1
    make_bundle "$name" 'head -n 1 /proc/meminfo'
    add_hooks "$name" --required
    run -0 run_container "$1" "$name"
    [[ ${lines[-1]} == MemTotal:*131072\ kB ]]
    # A mount inside of what we mounted must not appear in the daemon's tree.
    make_bundle "leak-$1" 'mount -t tmpfs tmpfs /sys/devices/system/cpu/cpu0 && echo mounted
        sleep 1000'
    set_config "leak-$1" '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])
        | .linux.rootfsPropagation = "rshared"'
    start_container "$1" "leak-$1"
    wait_for 5 grep -q mounted "$WORK/leak-$1.log"
    ! mountpoint "$WORK/lxcfs/leak-$1/sys/devices/system/cpu/cpu0"
    [[ -e $WORK/lxcfs/leak-$1/sys/devices/system/cpu/cpu0/topology ]]
    delete_container "$1" "leak-$1"
}

@test "mounts of a container stay in the container" {
    for_each_runtime shares
}

# pid_namespace NAME JQ-VALUE: its entry in config.json; null for none.
pid_namespace() {
    set_config "$1" '.linux.namespaces |= map(select(.type != "pid"))
        | if $entry then .linux.namespaces += [$entry] else . end' --argjson entry "$2"
}

shows_total() {
    run run_container "$1" "$2"
    [[ $status == 0 ]] || fail "$2: $output"
    [[ $output == *"$3"* ]] || fail "$2: $output"
}

by_pid_namespace() {
    local name=hostpid-$1 host
    host=$(head -n 1 /proc/meminfo)
    make_bundle "$name" 'head -n 1 /proc/meminfo'
    pid_namespace "$name" null
    shows_total "$1" "$name" "$host"
    # By a path that leads to the host's.
    pid_namespace "$name" "{\"type\": \"pid\", \"path\": \"/proc/$$/ns/pid\"}"
    shows_total "$1" "$name" "$host"
    add_hooks "$name" --host-pid
    shows_total "$1" "$name" " 131072 kB"
    # One that another container shares is not the host's.
    make_bundle "owner-$1" sleep 1000
    start_container "$1" "owner-$1"
    add_hooks "$name"
    pid_namespace "$name" "{\"type\": \"pid\",
        \"path\": \"/proc/$(container_pid "owner-$1")/ns/pid\"}"
    shows_total "$1" "$name" " 131072 kB"
    # A person who names a container has it served.
    make_bundle "named-$1" -n sleep 1000
    pid_namespace "named-$1" null
    start_container "$1" "named-$1"
    "$LXCFS_HOOK" attach "$(container_pid "named-$1")" --id "named-$1" \
        --runtime-dir "$WORK/run" --no-syslog
    run -0 exec_container "$1" "named-$1" head -n 1 /proc/meminfo
    [[ $output == *" 131072 kB" ]] || fail "$output"
}

@test "containers in the host's pid namespace look at the host" {
    for_each_runtime by_pid_namespace
}
