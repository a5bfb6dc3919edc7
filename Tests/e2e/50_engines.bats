# podman with a hooks directory, and docker with the options written for lxcfs.

load helpers

setup_file() { start_daemon; }

teardown_file() {
    stop_dockerd
    stop_daemon
}

teardown() {
    unshadow
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
    [[ ${lines[0]} == "$HOST_TOTAL" && ${lines[1]} == $(online_cpus) ]] || fail "$output"
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

# plain_podman ARGUMENT...: without --hooks-dir, as people call it.
plain_podman() {
    podman --root "$PODMAN_STATE/root" --runroot "$PODMAN_STATE/run" \
        --tmpdir "$PODMAN_STATE/tmp" --storage-driver vfs --cgroup-manager cgroupfs \
        --events-backend file --runtime runc "$@" 3>&-
}

LIMITS=(--ulimit nofile=20000:20000 --ulimit nproc=1000:1000)

# shadow DIRECTORY: what is written there is gone after unshadow.
shadow() {
    rm -rf "${WORK:?}/shadow" && cp -a "$1" "$WORK/shadow"
    mount -t tmpfs tmpfs "$1"
    cp -a "$WORK/shadow/." "$1"
}

unshadow() {
    local directory
    for directory in /usr/share/containers /etc/containers; do
        ! mountpoint -q $directory || umount -l $directory
    done
}

# install_here: what `make install` installs, where engines look for it, with the programs and
# directories of this test.
install_here() {
    local file dest=$WORK/dest
    make -s -C "$REPO" -o build -o man install RELEASE="${LXCFSD%/*}" DESTDIR="$dest"
    shadow /usr/share/containers
    shadow /etc/containers
    mkdir -p /usr/share/containers/oci/hooks.d /etc/containers/containers.conf.d "$WORK/own"
    for file in "$dest"/usr/share/{containers/oci,lxcfs-hook}/hooks.d/*.json; do
        jq --arg hook "$LXCFS_HOOK" --arg run "$WORK/run" \
            '.hook.path = $hook | .hook.args += ["--runtime-dir", $run]' "$file" >"$file.new"
        mv "$file.new" "$file"
    done
    cp "$dest/usr/share/containers/oci/hooks.d"/*.json /usr/share/containers/oci/hooks.d
    cp "$dest/usr/share/lxcfs-hook/hooks.d"/*.json "$WORK/own"
    sed "s,/usr/share/lxcfs-hook/hooks.d,$WORK/own," \
        "$dest/usr/share/lxcfs-hook/containers.conf.d/lxcfs-hook.conf" \
        >/etc/containers/containers.conf.d/lxcfs-hook.conf
    podman_cmd runc image exists "$IMAGE" ||
        tar -C "$IMAGE_ROOTFS" -c . | podman_cmd runc import -q - "$IMAGE" >/dev/null
    mkdir -p "$WORK/build"
    printf 'FROM %s\nRUN true\n' "$IMAGE" >"$WORK/build/Dockerfile"
}

builds() { plain_podman build --network none "${LIMITS[@]}" -q --no-cache "$WORK/build"; }

installed_files() {
    run -0 builds
    check_files
    [[ $output != *FAIL*precreate* ]] || fail "$output"
    # What must not lie where the others look.
    cp "$WORK/own"/*.json /usr/share/containers/oci/hooks.d
    run ! builds
    [[ $output == *'unknown stage "precreate"'* ]] || fail "$output"
    check_files
    [[ $status == 1 && $output == *FAIL*"sysinfo-annotated.json: buildah"* ]] || fail "$output"
    rm /usr/share/containers/oci/hooks.d/*sysinfo*
    # Another program's.
    echo '{' >/usr/share/containers/oci/hooks.d/other.json
    run ! builds
    check_files
    [[ $status == 1 && $output == *FAIL*other.json*"start no container"* ]] || fail "$output"
}

check_files() { run "$LXCFS_HOOK" check --runtime-dir "$WORK/run"; }

@test "podman build and lxcfs-hook check with what make install installs" {
    needs_command podman
    needs_command make
    install_here
    installed_files
}

# long_running NAME [OPTION...] -- [PODMAN-OPTION...]: a container with 256 MB and one CPU; process 1
# ends when /end is there.
long_running() {
    local name=$1 options=()
    shift
    while [[ $1 != -- ]]; do options+=("$1") && shift; done
    shift
    plain_podman "$@" run -d --name "$name" --network none --cgroup-parent "$E2E_CGROUP" \
        "${LIMITS[@]}" --memory 256m --cpus 1 --annotation io.lxcfs-hook.sysinfo=true \
        "${options[@]}" "$IMAGE" sh -c 'until [ -e /end ]; do sleep 0.1; done; rm /end'
}

# what_it_sees NAME: memory by the file and by sysinfo(2) in MB, CPUs, and how old it is.
what_it_sees() {
    plain_podman exec "$1" sh -c 'awk "/^MemTotal/ { print int(\$2 / 1024) }" /proc/meminfo
        free -m | awk "\$1 == \"Mem:\" { print \$2 }"
        grep -c ^processor /proc/cpuinfo; awk "{ print int(\$1) }" /proc/uptime' | xargs
}

started_of() { plain_podman inspect -f '{{.State.StartedAt}} {{.State.Status}}' "$1"; }

# started_again NAME BEFORE: it runs, and not since BEFORE.
started_again() {
    local now
    now=$(started_of "$1")
    [[ $now == *" running" && $now != "$2" ]]
}

# after WHAT NAME: it still sees itself, and is young.
after() {
    local seen
    seen=$(what_it_sees "$2")
    [[ $seen =~ ^256\ 256\ 1\ [0-9]$ ]] || fail "after $1: $seen"
}

started_in_all_ways() {
    local before
    long_running again --restart always --
    after "the first start" again
    plain_podman restart -t 0 again
    after "podman restart" again
    plain_podman stop -t 0 again
    plain_podman start again
    after "podman start" again
    # conmon calls podman for the restart policy.
    before=$(started_of again)
    plain_podman exec again touch /end
    wait_for 20 started_again again "$before"
    after "the restart policy" again
    plain_podman rm -f -t 0 again
    # What is in no configuration is gone with the command that it was said to.
    mv /usr/share/containers/oci/hooks.d/* "$WORK/own"
    rm /etc/containers/containers.conf.d/lxcfs-hook.conf
    long_running forgetful -- --hooks-dir "$WORK/own"
    after "the first start" forgetful
    plain_podman restart -t 0 forgetful
    run -0 plain_podman exec forgetful head -n 1 /proc/meminfo
    [[ $output == "$HOST_TOTAL" ]] || fail "--hooks-dir is remembered now: say so in hooks.d/README.md"
    plain_podman rm -f -t 0 forgetful
}

@test "podman: a container that is started again still sees itself, with hooks_dir in containers.conf" {
    needs_command podman
    needs_command make
    install_here
    started_in_all_ways
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
    [[ ${lines[0]} == MemTotal:*131072\ kB && ${lines[1]} == $(online_cpus) ]]
    stop_dockerd
}
