# lxcfs-hook install, uninstall and check, with the engines of this machine and with configurations
# below a directory of this test.
# shellcheck disable=SC2030,SC2031 # `run` sets them, in a test and in its functions
# shellcheck disable=SC2016 # sh expands it
# shellcheck disable=SC2053 # they are patterns

load helpers

: "${LXCFS_RUNTIME:=$REPO/.build/release/lxcfs-runtime}"
ENGINE_ROOT=$WORK/root

setup_file() {
    start_daemon
    write_programs
}

teardown_file() {
    stop_dockerd
    stop_daemon
}

setup() {
    rm -rf "$ENGINE_ROOT"
    mkdir -p "$ENGINE_ROOT/etc" "$ENGINE_ROOT/var/lib"
}

teardown() {
    local place
    for place in /etc/containers /etc/lxcfs-hook; do
        ! mountpoint -q $place || umount -l $place
    done
    cleanup_containers
}

# write_programs: runtime and hook, with the daemon of this test.
write_programs() {
    mkdir -p "$WORK/bin"
    jq -n --arg hook "$LXCFS_HOOK" --arg run "$WORK/run" \
        '{hook: $hook, options: ["--runtime-dir", $run]}' >"$WORK/runtime.json"
    printf '#!/bin/sh\nLXCFS_RUNTIME_CONFIG=%s exec %s "$@"\n' "$WORK/runtime.json" \
        "$LXCFS_RUNTIME" >"$WORK/bin/lxcfs-runtime"
    printf '#!/bin/sh\nexec %s "$@" --runtime-dir %s\n' "$LXCFS_HOOK" "$WORK/run" \
        >"$WORK/bin/lxcfs-hook"
    chmod +x "$WORK/bin"/*
}

# installs ACTION ENGINE [OPTION...]: in the directory of this test.
installs() {
    "$LXCFS_HOOK" "$1" "$2" --root "$ENGINE_ROOT" "${@:3}" 3>&-
}

traces() { (cd "$ENGINE_ROOT" && find . -mindepth 1 | sort); }

LOOK='head -n 1 /proc/meminfo; grep -c ^processor /proc/cpuinfo'
HOST_TOTAL=$(head -n 1 /proc/meminfo)

# --- Engines. ---

docker_sees() { # WHAT
    run -0 --separate-stderr docker_run --memory 256m --cpus 1 -- sh -c "$LOOK"
    # shellcheck disable=SC2154 # lines is run's
    [[ ${lines[0]} == $1 ]] || fail "$1, not: $output"
}

reload_dockerd() {
    local before
    before=$(grep -c 'Reloaded configuration' "$DOCKER_STATE/log" || true)
    kill -HUP "$(cat "$DOCKER_STATE/dockerd.pid")"
    wait_for 10 sh -c '[ "$(grep -c "Reloaded configuration" "$0")" -gt "$1" ]' \
        "$DOCKER_STATE/log" "$before"
}

@test "docker: containers are served, and no longer after uninstall" {
    needs_command dockerd
    [[ -x $LXCFS_RUNTIME ]] || skip "not built: $LXCFS_RUNTIME"
    local file=$ENGINE_ROOT/etc/docker/daemon.json
    mkdir -p "${file%/*}"
    printf '{\n  "deprecated-key-path": "%s",\n\n  "debug":false\n}' "$DOCKER_STATE/key.json" \
        >"$file"
    cp "$file" "$WORK/before.json"
    start_dockerd --config-file "$file"
    docker_sees "$HOST_TOTAL"
    installs install docker --runtime-path "$WORK/bin/lxcfs-runtime"
    reload_dockerd
    docker_sees "$HOST_TOTAL"
    run -0 --separate-stderr docker_run --runtime lxcfs --memory 256m --cpus 1 -- sh -c "$LOOK"
    [[ ${lines[0]} == MemTotal:*262144\ kB && ${lines[1]} == 1 ]] || fail "$output"
    installs install docker --runtime-path "$WORK/bin/lxcfs-runtime" --set-default
    reload_dockerd
    docker_sees "MemTotal:*262144 kB"
    installs uninstall docker
    cmp "$file" "$WORK/before.json"
    # A reload would not take back what is no longer in the file.
    stop_dockerd
    start_dockerd --config-file "$file"
    docker_sees "$HOST_TOTAL"
    stop_dockerd
    [[ $(traces) == $'./etc\n./etc/docker\n./etc/docker/daemon.json\n./var\n./var/lib' ]] ||
        fail "$(traces)"
}

# what_containerd_has: handlers, the default one and what the other settings are.
what_containerd_has() {
    containerd --config "$ENGINE_ROOT/etc/containerd/config.toml" config dump >"$WORK/dump" 2>&1
    grep -oE 'runtimes\.[a-z]+\]|default_runtime_name = .*|BinaryName = "/.*|SystemdCgroup = true|sandbox_image = .*' \
        "$WORK/dump" | sort -u
}

@test "containerd: it reads what install has written, and keeps the rest" {
    needs_command containerd
    local file=$ENGINE_ROOT/etc/containerd/config.toml before
    mkdir -p "${file%/*}"
    cp "$REPO/Tests/EngineSetupTests/Fixtures/containerd-kubeadm.toml" "$file"
    before=$(what_containerd_has)
    [[ $before == *'runtimes.runc]'* ]]
    installs install containerd --set-default --runtime-path "$WORK/bin/lxcfs-runtime"
    run -0 what_containerd_has
    [[ $output == *'default_runtime_name = "lxcfs"'* && $output == *'runtimes.lxcfs]'* &&
        $output == *'runtimes.runc]'* && $output == *'runtimes.kata]'* &&
        $output == *"BinaryName = \"$WORK/bin/lxcfs-runtime\""* &&
        $output == *'sandbox_image = "registry.k8s.io/pause:3.9"'* ]] || fail "$output"
    grep -qF '# /etc/containerd/config.toml: a node of a cluster' "$file"
    [[ $(grep -c 'SystemdCgroup = true' "$WORK/dump") == 2 ]]
    installs uninstall containerd
    cmp "$file" "$REPO/Tests/EngineSetupTests/Fixtures/containerd-kubeadm.toml"
    # Without a file containerd has a runc of its own, which is to stay.
    rm "$file"
    installs install containerd --set-default
    run -0 what_containerd_has
    [[ $output == *'runtimes.lxcfs]'* && $output == *'runtimes.runc]'* ]] || fail "$output"
    installs uninstall containerd
    [[ ! -e $file ]]
}

podman_sees() { # WHAT [OPTION...]
    run -0 --separate-stderr podman --root "$PODMAN_STATE/root" --runroot "$PODMAN_STATE/run" \
        --tmpdir "$PODMAN_STATE/tmp" --storage-driver vfs --cgroup-manager cgroupfs \
        --events-backend file --runtime runc run --rm --network none \
        --cgroup-parent "$E2E_CGROUP" --ulimit nofile=20000:20000 --ulimit nproc=1000:1000 \
        --memory 256m --cpus 1 "${@:2}" "$IMAGE" sh -c "$LOOK" 3>&-
    [[ ${lines[0]} == $1 ]] || fail "$1, not: $output"
}

@test "podman: containers are served, and no longer after uninstall" {
    needs_command podman
    podman_cmd runc image exists "$IMAGE" ||
        tar -C "$IMAGE_ROOTFS" -c . | podman_cmd runc import -q - "$IMAGE" >/dev/null
    cp -a /etc/containers "$ENGINE_ROOT/etc/containers"
    mkdir -p "$ENGINE_ROOT/etc/lxcfs-hook"
    local made=
    [[ -d /etc/lxcfs-hook ]] || { mkdir /etc/lxcfs-hook && made=1; }
    mount --bind "$ENGINE_ROOT/etc/containers" /etc/containers
    mount --bind "$ENGINE_ROOT/etc/lxcfs-hook" /etc/lxcfs-hook
    local before
    before=$(traces)
    installs install podman --hook-path "$WORK/bin/lxcfs-hook"
    podman_sees "$HOST_TOTAL"
    podman_sees "MemTotal:*262144 kB" --annotation io.lxcfs-hook.enable=true
    installs install podman --hook-path "$WORK/bin/lxcfs-hook" --set-default
    podman_sees "MemTotal:*262144 kB"
    podman_sees "$HOST_TOTAL" --annotation io.lxcfs-hook.enable=false
    installs uninstall podman
    podman_sees "$HOST_TOTAL"
    [[ $(traces) == "$before" ]] || fail "$(traces)"
    umount -l /etc/lxcfs-hook
    [[ -z $made ]] || rmdir /etc/lxcfs-hook
}

# --- Files. ---

@test "what cannot be changed is left alone, and said" {
    local file=$ENGINE_ROOT/etc/docker/daemon.json
    mkdir -p "${file%/*}"
    printf '{\n  // a mirror\n}\n' >"$file"
    run -1 installs install docker
    [[ $output == *"$file, line 2, column 3: "*"JSON has no comments"* ]] || fail "$output"
    [[ $(<"$file") == *'// a mirror'* && ! -e $ENGINE_ROOT/var/lib/lxcfs-hook ]]
    echo '{}' >"$file"
    run -2 installs install docker --restart
    run -2 "$LXCFS_HOOK" install docker podman
    run -2 "$LXCFS_HOOK" install rkt
    run -2 "$LXCFS_HOOK" uninstall docker --set-default
    run -2 "$LXCFS_HOOK" check --dry-run
    # A read-only filesystem.
    mount --bind "$ENGINE_ROOT" "$ENGINE_ROOT"
    mount -o remount,ro,bind "$ENGINE_ROOT"
    run -1 installs install docker
    umount -l "$ENGINE_ROOT"
    [[ $output == *"Read-only file system"* ]] || fail "$output"
    [[ $(<"$file") == '{}' ]]
    # No permission.
    local open=/run/lxcfs-hook-root
    cp -a "$ENGINE_ROOT" $open
    chmod 755 $open
    run -1 setpriv --reuid 65534 --clear-groups "$LXCFS_HOOK" install docker --root $open
    [[ $output == *"Permission denied"*sudo* ]] || fail "$output"
    [[ $(<$open/etc/docker/daemon.json) == '{}' ]]
    rm -r $open
}

@test "a dry run shows the difference as diff does" {
    local file=$ENGINE_ROOT/etc/docker/daemon.json
    mkdir -p "${file%/*}"
    printf '{\n  "debug": true\n}\n' >"$file"
    cp "$file" "$WORK/old.json"
    installs install docker --dry-run --set-default | grep -v ^note: >"$WORK/patch"
    cmp "$file" "$WORK/old.json"
    installs install docker --set-default
    patch -s -o "$WORK/new.json" "$WORK/old.json" "$WORK/patch"
    cmp "$file" "$WORK/new.json"
}

@test "without the program beside it the hook says so" {
    cp "$LXCFS_HOOK" "$WORK/alone"
    run -1 "$WORK/alone" check
    [[ $output == *"cannot run $WORK/lxcfs-hook-setup: No such file or directory"* ]] ||
        fail "$output"
}

# --- check. ---

check() { run "$LXCFS_HOOK" check --runtime-dir "$WORK/run" "$@"; }

memory_cgroups() {
    if [[ -d /sys/fs/cgroup/memory ]]; then echo /sys/fs/cgroup/memory; else echo /sys/fs/cgroup; fi
}

leftovers() { find "$(memory_cgroups)" -maxdepth 1 -name 'lxcfs-hook-check.*'; }

@test "check tries it, and leaves nothing" {
    local mounts
    mounts=$(</proc/self/mountinfo)
    # Of one that was killed.
    mkdir "$(memory_cgroups)/lxcfs-hook-check.999999999"
    check
    [[ $output == *"tried: a process with 64 MB sees 64 MB"* ]] || fail "$output"
    [[ -z $(leftovers) && $(</proc/self/mountinfo) == "$mounts" ]]
    [[ $("$LXCFSD" list --json --runtime-dir "$WORK/run") == "[]" ]]
    # It fails in good order, too: there is no such hierarchy, or it cannot be written to.
    run unshare --mount sh -c 'mount -o remount,ro,bind "$0"; shift; exec "$@"' \
        "$(memory_cgroups)" x "$LXCFS_HOOK" check --runtime-dir "$WORK/run"
    [[ $status == 1 && $output == *"FAIL tried, and failed: "*"Read-only file system"* ]] ||
        fail "$output"
    [[ -z $(leftovers) ]]
}

@test "check --json" {
    check --json
    jq -e '.schema == 1 and (.version | type == "string") and (.findings | length > 10)
        and all(.findings[]; (.topic | IN("host", "policy", "daemon", "hooks", "engines", "trial"))
            and (.verdict | IN("ok", "warn", "fail")) and (.text | length > 0))
        and ((.verdict == "fail") == any(.findings[]; .verdict == "fail"))
        and any(.findings[]; .topic == "trial" and .verdict == "ok")' <<<"$output"
    [[ $status == $([[ $(jq -r .verdict <<<"$output") == fail ]] && echo 1 || echo 0) ]]
    run "$LXCFS_HOOK" check --json --runtime-dir "$WORK/nobody"
    [[ $status == 1 ]]
    jq -e 'any(.findings[]; .verdict == "fail" and .remedy == "systemctl start lxcfsd")' \
        <<<"$output"
}

@test "check knows what a machine lacks" {
    run unshare --mount sh -c 'umount -l -R /sys/fs/cgroup; exec "$@"' x \
        "$LXCFS_HOOK" check --runtime-dir "$WORK/run"
    [[ $status == 1 && $output == *"FAIL no cgroups are mounted"* ]] || fail "$output"
    run unshare --mount sh -c 'mount -t tmpfs tmpfs /dev; exec "$@"' x \
        "$LXCFS_HOOK" check --runtime-dir "$WORK/run"
    [[ $status == 1 && $output == *"FAIL cannot open /dev/fuse"*"modprobe fuse"* ]] ||
        fail "$output"
    # Another one over ours.
    run unshare --mount sh -c 'mount -t tmpfs tmpfs "$0/lxcfs"; shift; exec "$@"' "$WORK" x \
        "$LXCFS_HOOK" check --runtime-dir "$WORK/run"
    [[ $status == 1 && $output == *"FAIL $WORK/lxcfs is another one's (tmpfs)"* ]] ||
        fail "$output"
}

@test "check finds another lxcfs, over ours and in its place" {
    needs_command lxcfs
    local stock
    mkdir -p "$WORK/stock"
    lxcfs -f -p "$WORK/stock.pid" "$WORK/lxcfs" >"$WORK/stock.log" 2>&1 </dev/null 3>&- &
    stock=$!
    wait_for 5 sh -c '[ "$(grep -c " $0 " /proc/self/mountinfo)" = 2 ]' "$WORK/lxcfs"
    check
    stop_process "$stock" 5
    [[ $status == 1 && $output == *"FAIL another daemon has mounted on $WORK/lxcfs"* ]] ||
        fail "$output"
    check
    [[ $output == *"ok   $WORK/lxcfs is mounted"* && $output != *"FAIL tried"* ]] || fail "$output"
}

@test "check for who is not root" {
    chmod 755 "$WORK"
    run setpriv --reuid 65534 --clear-groups "$LXCFS_HOOK" check --runtime-dir "$WORK/run"
    [[ $status == 1 && $output == *"FAIL not running as root"*"sudo lxcfs-hook check"* ]] ||
        fail "$output"
    [[ $output == *"only root may ask lxcfsd"* && $output != *"not running: "* &&
        $output != *MOVE_MOUNT_BENEATH* ]] || fail "$output"
    run unshare --user --map-root-user "$LXCFS_HOOK" check --runtime-dir "$WORK/run"
    [[ $status == 1 && $output == *"FAIL rootless: "* && $output != *"running as root"* ]] ||
        fail "$output"
}

@test "a command that is typed says things once" {
    run -2 "$LXCFS_HOOK" attach
    [[ $output == "lxcfs-hook: error: attach takes the pid of one process" ]] || fail "$output"
    run -1 setpriv --reuid 65534 --clear-groups "$LXCFS_HOOK" attach 1
    [[ $output == *"cannot look into process 1"*"Permission denied"*"attach needs root"* ]] ||
        fail "$output"
}
