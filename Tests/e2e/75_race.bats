# A container that changes the places of its files while the hook attaches: nothing is ever
# mounted outside of its procfs and sysfs.
#
# RACE_TRIES says how often the hook runs, for each way; `make soak` sets it.

load helpers

setup_file() {
    needs_binaries
    start_daemon
}
teardown_file() { stop_daemon; }

setup() {
    RACE_TRIES=${RACE_TRIES:-$(repeats 300)}
    RACER=$REPO/.build/programs/racer
    [[ -x $RACER ]] || skip "needs gcc"
    needs_command python3
    mkdir -p "$WORK/host"
    echo "the host's" >"$WORK/host/victim"
    # What stands for the files when a link leads here.
    cp "$WORK/host/victim" "$WORK/host/meminfo"
    cp "$WORK/host/victim" "$WORK/host/stat"
    cp "$WORK/host/victim" "$WORK/host/uptime"
}

teardown() {
    if [[ -e $WORK/alone.pid ]]; then
        kill -KILL "$(cat "$WORK/alone.pid")" 2>/dev/null || true
        rm "$WORK/alone.pid"
    fi
    cleanup_containers
}

# race RACER-PID [BUNDLE]
race() {
    local status=0
    python3 "$E2E_DIR/race.py" "$LXCFS_HOOK" "$WORK/run" "$WORK/lxcfs" "$WORK/host/victim" \
        "$1" "$RACE_TRIES" "${@:2}" >"$WORK/race.log" 2>&1 || status=$?
    echo "# $BATS_TEST_DESCRIPTION: $(head -n 1 "$WORK/race.log")" >&3
    [[ $status == 0 ]] || tail -n 5 "$WORK/lxcfsd.log"
    cat "$WORK/race.log"
    return "$status"
}

@test "a running container races attach and detach" {
    local runtime=${RUNTIMES[0]} racer
    make_bundle race -n '/racer / /host; echo "exit $?"'
    cp "$RACER" "$(bundle_of race)/rootfs/racer"
    # A directory that it shares with the host, propagation included: the worst there is.
    set_config race '.mounts += [{destination: "/host", type: "bind", source: $host,
            options: ["rbind", "rshared"]}]
        | .linux.rootfsPropagation = "rshared"
        | .linux.maskedPaths = [] | .linux.readonlyPaths = []
        | .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])' --arg host "$WORK/host"
    start_container "$runtime" race
    wait_for 5 test -e "$(bundle_of race)/rootfs/ready" || fail "$(cat "$WORK/race.log")"
    racer=$(pgrep -P "$(container_pid race)")
    race "$racer"
}

@test "a root filesystem that changes races the hook at createRuntime" {
    local bundle
    bundle=$(bundle_of alone)
    make_bundle alone true
    set_config alone '.linux.cgroupsPath = ""'
    mkdir "$bundle/rootfs/host"
    rootfs=$bundle/rootfs host=$WORK/host racer=$RACER \
        unshare --mount --pid --fork --propagation slave --kill-child sh -c '
            mount --bind "$rootfs" "$rootfs"
            mount --make-private "$rootfs"
            mount --bind "$host" "$rootfs/host"
            mount -t proc proc "$rootfs/proc"
            mount -t sysfs sysfs "$rootfs/sys"
            "$racer" "$rootfs" "$rootfs/host"; echo "exit $?"' \
        >"$WORK/alone.log" 2>&1 3>&- &
    echo $! >"$WORK/alone.pid"
    wait_for 5 test -e "$bundle/rootfs/ready" || fail "$(cat "$WORK/alone.log")"
    race "$(pgrep -f "^$RACER $bundle/rootfs ")" "$bundle"
}
