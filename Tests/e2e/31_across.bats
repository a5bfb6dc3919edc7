# Nothing across: whoever has files of ours can neither see more than is his, nor keep others from
# reading. Users of the host, and containers: with Docker's capabilities, in a user namespace, and
# with one capability more.

load helpers
load hostile

setup_file() { start_daemon && meet_neighbour; }
teardown_file() { leave_neighbour && stop_daemon; }
teardown() { stop_attacks; }

# Everything that a container has of ours.
OURS=(/proc/{meminfo,stat,uptime,loadavg,cpuinfo,diskstats,swaps} /proc/pressure/{cpu,io,memory}
    /sys/devices/system/{cpu,node} /sys/devices/system/cpu/{online,possible})

# The last word is the attack's: "done N".
says() { grep -q ^done "$WORK/$1.log" || is_gone "$(container_pid "$1")"; }

# goes_on TITLE: the neighbour reads as if there was nobody else, and new containers start.
goes_on() {
    local line
    line=$(ask_neighbour 1)
    echo "# $1: $line" >&3
    [[ $(figure failed "$line") == 0 ]] || fail "the neighbour's reads failed"
    # What is held, is held for 45 seconds (leases) or for ever.
    (($(figure longest "$line") < 2000000)) || fail "the neighbour waits"
    run_container "${RUNTIMES[0]}" newcomer
}

# attacks KIND WHAT [FILE...]: a container, and what it gets done is in $WORK/evil.log. KIND is
# "plain", "user" or a capability.
attacks() {
    local kind=$1 what=$2
    shift 2
    [[ $# -gt 0 ]] || set -- "${OURS[@]}"
    attack_bundle evil attack_across /attack_across "$what" "$@"
    case $kind in
    plain) ;;
    user)
        set_config evil '.linux.namespaces += [{type: "user"}]
            | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
            | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
            | .process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN",
                "CAP_DAC_READ_SEARCH", "CAP_LEASE"])'
        chown -R 100000:100000 "$(bundle_of evil)/rootfs"
        chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$WORK" "$WORK/bundles" \
            "$(bundle_of evil)"
        ;;
    *)
        set_config evil '.process.capabilities |= with_entries(.value += [$name])' --arg name "$kind"
        ;;
    esac
    [[ -z ${BINDS:-} ]] || bind_callers evil
    attack evil
    wait_for 20 says evil
    cat "$WORK/evil.log"
}

across() {
    attacks "$@"
    goes_on "$2, $1"
    stop_attacks
    goes_on "after $2, $1"
}

# The whole mountpoint is bound in a container, as LXC and `docker -v` do it: there all share the
# inodes of proc and sys.
bind_callers() {
    set_config "$1" '.mounts += [{destination: "/ours", type: "none", source: $source,
        options: ["bind"]}]' --arg source "$WORK/lxcfs"
}

# attacks_callers KIND WHAT FILE...: as attacks, with all files of the tree below /ours.
attacks_callers() {
    local files
    mapfile -t files < <(cd "$WORK/lxcfs" && find proc sys -type f ! -name slabinfo)
    [[ ${#files[@]} -gt 100 ]]
    BINDS=1 attacks "$1" "$2" "${files[@]/#//ours/}" >"$WORK/evil.out"
    tail -n 1 "$WORK/evil.out"
}

callers_go_on() {
    local line
    line=$(nsenter --mount --target "$(container_pid bound)" /neighbour 1 \
        /ours/{proc/meminfo,proc/stat,proc/uptime,sys/devices/system/cpu/online} 3>&-)
    echo "# callers, $1: $line" >&3
    [[ $(figure failed "$line") == 0 ]] || fail "reads failed"
    (($(figure longest "$line") < 2000000)) || fail "a reader waits"
    # What cannot be read here says so at once.
    run timeout 5 find "$WORK/lxcfs/proc" "$WORK/lxcfs/sys" -type f -exec head -c 1 {} +
    [[ $status != 124 ]] || fail "an open waits"
}

@test "a user of the host sees no containers" {
    local way file place
    for place in "$WORK" "${WORK%/*}" "$BATS_RUN_TMPDIR"; do chmod go+x "$place"; done
    # Root has looked before, so the kernel knows the names.
    for way in "" "setpriv --bounding-set -sys_admin --inh-caps -all" "unshare --user --map-root-user" \
        "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all"; do
        ls -R "$WORK/lxcfs" "$WORK/run/tree" >/dev/null
        [[ $(ls "$WORK/lxcfs" | sort) == $'neighbour\nproc\nsys' ]]
        [[ -n $way ]] || continue
        echo "--- $way"
        run $way ls "$WORK/lxcfs"
        [[ $output == $'proc\nsys' ]] || fail "$output"
        run $way sh -c "ls -d $WORK/run/tree/*"
        [[ $output != *neighbour* ]] || fail "$output"
        for file in "" /proc /proc/meminfo /sys /proc/pressure /proc/pressure/cpu; do
            for place in lxcfs run/tree run/tree/.opens; do
                run ! $way ls -d "$WORK/$place/neighbour$file"
                run ! $way cat "$WORK/$place/neighbour$file"
            done
        done
        run ! $way sh -c "echo 'some 150000 2000000' >'$WORK/run/tree/.opens/neighbour/proc/pressure/cpu'"
        # His own numbers are those that the kernel tells him.
        [[ $($way awk '/MemTotal/ { print $2 }' "$WORK/lxcfs/proc/meminfo") == \
            "$(awk '/MemTotal/ { print $2 }' /proc/meminfo)" ]]
        # Whose uid is root's may open root's files.
        [[ $way == *65534* ]] || continue
        run ! $way ls "$WORK/run/containers"
        run ! $way "$LXCFSD" list --runtime-dir "$WORK/run"
    done
    # Root of a user namespace of his own cannot unmount by force what others use.
    run ! setpriv --reuid 65534 --regid 65534 --clear-groups \
        unshare --user --map-root-user --mount umount --force "$WORK/lxcfs"
    # A directory that root has opened lets nobody else in.
    [[ $(stat -c '%a %U' "$WORK/lxcfs/neighbour" "$WORK/run/tree/neighbour") == $'500 root\n500 root' ]]
    goes_on "users of the host"
}

@test "leases, locks, watches: with Docker's capabilities, and CAP_LEASE" {
    local what
    for what in lease lock inotify fanotify; do across plain $what; done
    across CAP_LEASE lease
}

@test "leases on files that all containers with the caller tree share" {
    local kind
    make_bundle bound
    cp "$REPO/.build/programs/neighbour" "$(bundle_of bound)/rootfs"
    bind_callers bound
    start_container "${RUNTIMES[0]}" bound
    echo bound >>"$WORK/attackers"
    callers_go_on "nobody else"
    for kind in plain CAP_LEASE; do
        attacks_callers $kind lease
        [[ $(grep -c "write lease: yes" "$WORK/evil.log") == 0 ]] ||
            fail "$(grep "write lease: yes" "$WORK/evil.log" | head -n 3)"
        run grep "/pressure/.*lease: yes" "$WORK/evil.log"
        [[ -z $output ]] || fail "$output"
        callers_go_on "leases, $kind"
        delete_container "${RUNTIMES[0]}" evil && rm -rf "$(bundle_of evil)"
        attacks_callers $kind lock
        callers_go_on "locks, $kind"
        delete_container "${RUNTIMES[0]}" evil && rm -rf "$(bundle_of evil)"
    done
}

@test "file handles" {
    across plain handle
    across user handle
    across CAP_DAC_READ_SEARCH handle
    [[ $(tail -n 1 "$WORK/evil.log") == "done 0" ]] || fail "it opened some"
}

@test "a filesystem that is unmounted by force, or made read-only" {
    across plain force
    across user force
    across CAP_SYS_ADMIN force
    across CAP_DAC_READ_SEARCH force
    across CAP_SYS_ADMIN remount
}

look_own() {
    local name=own-$1
    make_bundle "$name" -m $((64 << 20)) 'awk "/MemTotal/ { print \$2 }" /proc/meminfo
        cat /sys/devices/system/cpu/online
        grep -c " - overlay lxcfs " /proc/self/mountinfo
        grep -c " - fuse" /proc/self/mountinfo
        echo some 150000 2000000 >/proc/pressure/cpu'
    set_config "$name" '.process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
    run run_container "$1" "$name"
    echo "$output"
    [[ ${lines[0]} == 65536 && ${lines[1]} == $(</sys/devices/system/cpu/online) ]]
    ((${lines[2]} > 10)) && [[ ${lines[3]} == 0 && ${lines[4]} == *"Read-only"* ]]
    # Renewed by attach, and taken away by detach.
    make_bundle "$name-2" -m $((64 << 20))
    set_config "$name-2" '.process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
    start_container "$1" "$name-2"
    "$LXCFS_HOOK" attach "$(container_pid "$name-2")" --id "$name-2" --runtime-dir "$WORK/run"
    [[ $(exec_container "$1" "$name-2" grep -c " /proc/meminfo .* - overlay lxcfs " \
        /proc/self/mountinfo) == 1 ]]
    [[ $(exec_container "$1" "$name-2" awk '/MemTotal/ { print $2 }' /proc/meminfo) == 65536 ]]
    "$LXCFS_HOOK" detach "$(container_pid "$name-2")" --id "$name-2" --runtime-dir "$WORK/run"
    run ! exec_container "$1" "$name-2" grep " - overlay lxcfs " /proc/self/mountinfo
    delete_container "$1" "$name-2"
}

@test "a container that rules filesystems has one of its own, with the same content" {
    for_each_runtime look_own
    ! grep overlay /proc/self/mountinfo | grep lxcfs || fail "left on the host"
}

@test "fanotify on all of a filesystem" {
    local what
    for what in fanotify-mount fanotify-all hang; do
        across user $what
        across CAP_SYS_ADMIN $what
    done
}

connection_of() { awk -v path="$1" '$5 == path { sub(/.*:/, "", $3); print $3 }' /proc/self/mountinfo; }

# With CAP_SYS_ADMIN in the host's user namespace, connections can be aborted by way of fusectl,
# whoever has files of them: that stays. What must not stay is that nobody answers any more.
@test "a connection that somebody has aborted ends the daemon, and the next one goes on" {
    local before
    # The numbers of ours: those of other daemons on this machine are not touched.
    attacks CAP_SYS_ADMIN fusectl "$(connection_of "$WORK/run/tree")" \
        "$(connection_of "$WORK/lxcfs")"
    [[ $(grep -c "aborted: yes" "$WORK/evil.log") == 2 ]] || fail "$(<"$WORK/evil.log")"
    wait_for 2 is_gone "$(daemon_pid)"
    grep -q "aborted by somebody else" "$WORK/lxcfsd.log"
    stop_attacks
    # What a service manager does.
    start_daemon
    "$LXCFS_HOOK" attach --all --runtime-dir "$WORK/run"
    goes_on "after an abort"
    # Also a connection of which somebody had all mounts unmounted.
    before=$(daemon_pid)
    umount --force "$WORK/lxcfs" || true
    wait_for 2 is_gone "$before"
    start_daemon
    "$LXCFS_HOOK" attach --all --runtime-dir "$WORK/run"
    goes_on "after an unmount by force"
}
