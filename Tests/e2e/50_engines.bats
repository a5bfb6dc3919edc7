# podman with a hooks directory, and docker with the options written for lxcfs.

load helpers

setup_file() { start_daemon; }

teardown_file() {
    stop_dockerd
    stop_daemon
}

teardown() {
    rm -rf "$WORK/hooks.d"
    cleanup_containers
}

# use_hook_file FILE: a file of hooks.d, with the binary and the daemon of this test.
use_hook_file() {
    mkdir -p "$WORK/hooks.d"
    jq --arg hook "$LXCFS_HOOK" --arg run "$WORK/run" \
        '.hook.path = $hook | .hook.args += ["--runtime-dir", $run]' \
        "$REPO/hooks.d/$1" >"$WORK/hooks.d/$1"
}

LOOK='head -n 1 /proc/meminfo; grep -c ^processor /proc/cpuinfo
    cat /sys/devices/system/cpu/online /proc/uptime'

HOST_TOTAL=$(head -n 1 /proc/meminfo)

sees_itself() {
    [[ ${lines[0]} == MemTotal:*262144\ kB ]] || fail "$output"
    [[ ${lines[1]} == 1 && ${lines[2]} == 0 ]] || fail "$output"
    [[ ${lines[3]} =~ ^[0-9]\.[0-9]+\  ]] || fail "$output"
}

nothing_served() { [[ $("$LXCFSD" list --json --runtime-dir "$WORK/run") == "[]" ]]; }

for_all() {
    use_hook_file 50-lxcfs-hook.json
    run -0 --separate-stderr podman_run "$1" --memory 256m --cpus 1 -- sh -c "$LOOK"
    sees_itself
    wait_for 5 nothing_served
    run -0 --separate-stderr podman_run "$1" --memory 256m --privileged -- sh -c "$LOOK"
    # An unmasked /proc is left alone.
    [[ ${lines[0]} == "$HOST_TOTAL" ]]
    run -0 --separate-stderr podman_run "$1" --memory 256m \
        --annotation io.lxcfs-hook.enable=false -- sh -c "$LOOK"
    [[ ${lines[0]} == "$HOST_TOTAL" ]]
}

@test "podman: the hook for every container" {
    needs_command podman
    for_each_runtime for_all
}

# What looks at the node is shown the node.
in_the_hosts_pid_namespace() {
    use_hook_file 50-lxcfs-hook.json
    run -0 --separate-stderr podman_run "$1" --memory 256m --cpus 1 --pid host -- sh -c "$LOOK"
    [[ ${lines[0]} == "$HOST_TOTAL" && ${lines[1]} == $(nproc --all) ]] || fail "$output"
    run -0 --separate-stderr podman_run "$1" --memory 256m --cpus 1 --pid host \
        --annotation io.lxcfs-hook.enable=true -- sh -c "$LOOK"
    [[ ${lines[0]} == "$HOST_TOTAL" ]] || fail "$output"
    run -0 --separate-stderr podman_run "$1" --memory 256m --cpus 1 --pid host \
        --annotation io.lxcfs-hook.host-pid=true -- sh -c "$LOOK"
    sees_itself
}

@test "podman: containers in the host's pid namespace are left alone" {
    needs_command podman
    for_each_runtime in_the_hosts_pid_namespace
}

annotated() {
    use_hook_file 50-lxcfs-hook-annotated.json
    run -0 --separate-stderr podman_run "$1" --memory 256m --cpus 1 -- sh -c "$LOOK"
    [[ ${lines[0]} == "$HOST_TOTAL" ]]
    run -0 --separate-stderr podman_run "$1" --memory 256m --cpus 1 \
        --annotation io.lxcfs-hook.enable=true -- sh -c "$LOOK"
    sees_itself
    run -0 --separate-stderr podman_run "$1" --memory 256m --cpus 1 \
        --annotation io.lxcfs-hook.enable=true --annotation io.lxcfs-hook.files=uptime \
        -- sh -c "$LOOK"
    [[ ${lines[0]} == "$HOST_TOTAL" && ${lines[-1]} =~ ^[0-9]\. ]]
}

@test "podman: the hook by annotation" {
    needs_command podman
    for_each_runtime annotated
}

# crun goes back into the host's mount namespace for the device, and says then that the bundle is /.
@test "podman with crun: a user namespace and a device" {
    needs_command podman
    needs_command crun
    local options=(--uidmap 0:100000:5000 --gidmap 0:100000:5000 --device /dev/null:/dev/foo
        --memory 256m --cpus 1)
    run -0 --separate-stderr podman_run crun "${options[@]}" -- sh -c "$LOOK"
    [[ ${lines[0]} == "$HOST_TOTAL" ]]
    use_hook_file 50-lxcfs-hook.json
    run -0 --separate-stderr podman_run crun "${options[@]}" -- sh -c "$LOOK"
    sees_itself
    run -0 --separate-stderr podman_run crun "${options[@]}" \
        --annotation io.lxcfs-hook.enable=false -- sh -c "$LOOK"
    [[ ${lines[0]} == "$HOST_TOTAL" ]]
}

@test "docker -v as written for lxcfs" {
    needs_command dockerd
    start_dockerd
    local file volumes=()
    for file in cpuinfo diskstats loadavg meminfo slabinfo stat swaps uptime; do
        volumes+=(-v "$WORK/lxcfs/proc/$file:/proc/$file:rw")
    done
    volumes+=(-v "$WORK/lxcfs/sys/devices/system/cpu:/sys/devices/system/cpu:rw")
    run -0 --separate-stderr docker_run --memory 256m --cpus 1 "${volumes[@]}" -- sh -c "$LOOK"
    sees_itself
    run -0 --separate-stderr docker_run --memory 128m "${volumes[@]}" -- sh -c "$LOOK"
    [[ ${lines[0]} == MemTotal:*131072\ kB && ${lines[1]} == $(nproc --all) ]]
    stop_dockerd
}
