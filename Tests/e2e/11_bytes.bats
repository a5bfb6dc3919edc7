# No byte that the kernel's own file could not have: readload judges each content by strict
# grammars (Tests/grammar), while contents grow and shrink under its eyes.
#
# BYTES_SECONDS says for how long.

load helpers
load load
load survival

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }

setup() { [[ -x $READLOAD ]] || skip "not built: $READLOAD"; }

teardown() {
    stop_load >/dev/null 2>&1 || true
    [[ ! -e $WORK/toggling.pid ]] || kill "$(<"$WORK/toggling.pid")" || true
    rm -f "$WORK/toggling.pid"
    cleanup_containers
}

# sizes NAME FILE: how many lengths the file has had in some seconds.
sizes() {
    local i
    for ((i = 0; i < 40; i++)); do
        look "$1" "$2" | wc -c
        sleep 0.1
    done | sort -u | wc -l
}

# toggle NAME: the CPUs of the container change ten times a second.
toggle() {
    local file
    file=$(cgroup_file "$1" cpuset.cpus cpuset cpuset.cpus)
    while :; do
        echo 0 >"$file"
        sleep 0.05
        echo 0-1 >"$file"
        sleep 0.05
    done
}

# reads_while_changing NAME FILE...: of the container.
reads_while_changing() {
    local root files=() file
    root=/proc/$(container_pid "$1")/root
    for file in "${@:2}"; do files+=("~$root$file"); done
    "$READLOAD" 4 7200 "${files[@]}" >"$WORK/load.txt" 2>&1 </dev/null 3>&- &
    echo $! >"$WORK/load.pid"
    sleep "${BYTES_SECONDS:-10}"
    check_load "$1, ${BYTES_SECONDS:-10} s"
}

@test "threads that come and go: loadavg and stat grow and shrink" {
    make_bundle threads -m $((96 << 20)) -q 100000 "$FLUCTUATING"
    start_container "${RUNTIMES[0]}" threads
    (($(sizes threads /proc/loadavg) >= 2)) || fail "this test needs a file that changes its size"
    reads_while_changing threads /proc/{stat,loadavg,uptime,diskstats,meminfo,swaps}
}

@test "CPUs that come and go: cpuinfo, stat and lists grow and shrink a lot" {
    (($(nproc --all) > 1)) || skip "needs two CPUs"
    # docs/reading.md, "What is left".
    ((${E2E_PATIENCE:-1} == 1)) || skip "emulated: two reads take longer than content rests"
    make_bundle toggled -m $((96 << 20)) -c 0-1
    start_container "${RUNTIMES[0]}" toggled
    toggle toggled 3>&- &
    echo $! >"$WORK/toggling.pid"
    (($(sizes toggled /proc/cpuinfo) >= 2)) || fail "this test needs a file that changes its size"
    reads_while_changing toggled /proc/{stat,cpuinfo,loadavg} /sys/devices/system/cpu/{online,offline}
}

@test "the same in the caller tree" {
    (($(nproc --all) > 1)) || skip "needs two CPUs"
    make_bundle caller -n -m $((96 << 20)) -c 0-1
    mkdir -p "$(bundle_of caller)/rootfs/lxcfs"
    set_config caller '.mounts += [{destination: "/lxcfs", type: "bind",
        source: $dir, options: ["rbind", "ro"]}]' --arg dir "$WORK/lxcfs"
    start_container "${RUNTIMES[0]}" caller
    toggle caller 3>&- &
    echo $! >"$WORK/toggling.pid"
    cp "$READLOAD" "$(bundle_of caller)/rootfs/bin/readload"
    run -0 exec_container "${RUNTIMES[0]}" caller readload 4 "${BYTES_SECONDS:-10}" \
        '~'/lxcfs/proc/{stat,cpuinfo,loadavg,meminfo,uptime} \
        '~'/lxcfs/sys/devices/system/cpu/{online,offline}
    echo "# caller tree, ${BYTES_SECONDS:-10} s: ${lines[-1]}" >&3
}
