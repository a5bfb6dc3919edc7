# Every example runs.

load helpers

setup_file() { start_daemon; }

teardown_file() {
    stop_dockerd
    stop_daemon
}

teardown() { cleanup_containers; }

sees_itself() { [[ $output == *MemTotal:*262144\ kB* ]] || fail "$output"; }

bundle_example() {
    jq --arg hook "$LXCFS_HOOK" --arg run "$WORK/run" \
        'map_values(map(.path = $hook | .args += ["--runtime-dir", $run]))' \
        "$REPO/examples/runc/hooks.json" >"$WORK/hooks.json"
    HOOKS=$WORK/hooks.json RUNTIME=${RUNTIMES[0]} \
        "$REPO/examples/runc/make-bundle" "$WORK/bundles/example-$1"
    set_config "example-$1" '.linux.cgroupsPath = $path' --arg path "$E2E_CGROUP/example-$1"
    run -0 run_container "$1" "example-$1"
    sees_itself
    [[ $(grep -c ^processor <<<"$output") == 1 ]]
}

@test "examples/runc, with runc and crun" {
    for_each_runtime bundle_example
}

# configure_podman: the shipped containers.conf, with the directory of this test.
configure_podman() {
    sed "s,/usr/share/lxcfs-hook/hooks.d,$WORK/hooks.d," "$REPO/examples/podman/lxcfs-hook.conf" \
        >"$WORK/containers.conf"
    grep -q "$WORK/hooks.d" "$WORK/containers.conf"
}

# podman_example SCRIPT: on the images of this test, with the annotated files of hooks.d.
podman_example() {
    mkdir -p "$WORK/hooks.d"
    local file
    for file in 50-lxcfs-hook-annotated podman/50-lxcfs-hook-sysinfo-annotated; do
        jq --arg hook "$LXCFS_HOOK" --arg run "$WORK/run" \
            '.hook.path = $hook | .hook.args += ["--runtime-dir", $run]' \
            "$REPO/hooks.d/$file.json" >"$WORK/hooks.d/${file##*/}.json"
    done
    configure_podman
    podman_cmd runc image exists "$IMAGE" ||
        tar -C "$IMAGE_ROOTFS" -c . | podman_cmd runc import -q - "$IMAGE" >/dev/null
    run -0 env CONTAINERS_CONF="$WORK/containers.conf" \
        PODMAN="podman --root $PODMAN_STATE/root --runroot $PODMAN_STATE/run
            --tmpdir $PODMAN_STATE/tmp --storage-driver vfs --cgroup-manager cgroupfs
            --events-backend file --runtime runc" \
        OPTIONS="--network none --cgroup-parent $E2E_CGROUP
            --ulimit nofile=20000:20000 --ulimit nproc=1000:1000" \
        "$REPO/examples/podman/$1" "$IMAGE"
}

@test "examples/podman/run" {
    needs_command podman
    podman_example run
    sees_itself
}

@test "examples/podman/sysinfo" {
    needs_command podman
    podman_example sysinfo
    [[ $(awk '$1 == "Mem:" { print $2 }' <<<"$output") == 256 ]] || fail "$output"
    [[ $output == *" up 0 min,"* ]] || fail "$output"
}

@test "examples/docker" {
    needs_command dockerd
    start_dockerd
    run -0 env LXCFS="$WORK/lxcfs" OPTIONS="--network none" \
        DOCKER="docker --config $DOCKER_STATE -H unix://$DOCKER_STATE/sock" \
        "$REPO/examples/docker/run" "$IMAGE"
    sees_itself
    [[ $(grep -c ^processor <<<"$output") == 1 ]]
    stop_dockerd
}

@test "examples/systemd: the unit starts a daemon that says when it is ready" {
    needs_command python3
    local unit=$REPO/examples/systemd/lxcfsd.service start
    grep -qx 'Type=notify' "$unit"
    start=$(sed -n 's/^ExecStart=//p' "$unit")
    [[ $start == '/usr/bin/lxcfsd $LXCFSD_OPTIONS /var/lib/lxcfs' ]]
    if command -v systemd-analyze >/dev/null; then
        sed "s,/usr/bin/lxcfsd,$LXCFSD," "$unit" >"$WORK/lxcfsd.service"
        run -0 systemd-analyze verify --man=no "$WORK/lxcfsd.service"
        [[ -z $(grep lxcfsd.service <<<"$output") ]] || fail "$output"
        # In tenths. What keeps it from being lower is in docs/reliability.md.
        run -0 systemd-analyze security --offline=true --no-pager --threshold=25 \
            "$WORK/lxcfsd.service"
        echo "# systemd-analyze security: ${lines[-1]#*: }" >&3
    fi
    python3 - "$WORK" "$LXCFSD" <<'PY'
import os, signal, socket, subprocess, sys
work, daemon = sys.argv[1:]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(work + "/notify")
notify.settimeout(20)
process = subprocess.Popen([daemon, "--runtime-dir", work + "/run-unit", work + "/unit"],
                           env=dict(os.environ, NOTIFY_SOCKET=work + "/notify"),
                           stderr=subprocess.DEVNULL, close_fds=True)
try:
    messages = [notify.recv(4096).decode()]
    while "READY=1" not in messages[-1]: messages.append(notify.recv(4096).decode())
    # First what is to survive goes into the store.
    # What the worker has kept besides has numbers.
    names = [m.split("\n")[1] for m in messages[:-1]]
    assert [name for name in names if not name.startswith("FDNAME=kept-")] == [
        "FDNAME=containers", "FDNAME=callers", "FDNAME=control", "FDNAME=seccomp",
        "FDNAME=memory"], messages
    assert messages[-1].startswith("READY=1\n"), messages
    assert "MemTotal" in open(work + "/unit/proc/meminfo").read()
    process.send_signal(signal.SIGTERM)
    assert notify.recv(4096).decode() == "STOPPING=1"
finally:
    process.terminate()
    assert process.wait(20) == 0
PY
}

demo_example() {
    run -0 in_runtime_ns "$1" "$REPO/examples/demo" "$1"
    echo "$output"
    [[ $output == *"=== without lxcfs-hook"*"=== with lxcfs-hook"* ]]
    local after=${output#*=== with lxcfs-hook}
    [[ $(awk '/^Mem:/ { print $2 }' <<<"$after") == 256 ]]
    [[ $after == *"processor /proc/cpuinfo"$'\n'1$'\n'* ]]
}

@test "examples/demo, with runc and crun" {
    for_each_runtime demo_example
}
