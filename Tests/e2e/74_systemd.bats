# The unit of examples/systemd under the real systemd: where that is the first process of a
# machine of our own (Tests/vm/run-vm --systemd).

load helpers

: "${READLOAD:=$REPO/.build/release/readload}"
UNIT=lxcfsd.service
# A machine that is this slow shows the end of longer content now and then (docs/reliability.md).
QUIET_FILES=("proc/meminfo=98304 kB" sys/devices/system/cpu/online=0)
DROP_IN=/run/systemd/system/$UNIT.d/plain.conf

has_systemd() { [[ $(cat /proc/1/comm) == systemd && -z ${E2E_OUTER_NS:-} ]]; }

setup() { has_systemd || skip "needs systemd in a virtual machine"; }

setup_file() {
    has_systemd || return 0
    # Where the unit expects them.
    mkdir -p /usr/libexec/oci /var/lib/lxcfs
    cp "$LXCFSD" /usr/bin
    cp "$LXCFS_HOOK" /usr/libexec/oci
    cp "$REPO/examples/systemd/$UNIT" /run/systemd/system
    systemctl daemon-reload
    systemctl start "$UNIT" || { systemctl status "$UNIT"; return 1; }
    # What helpers.bash starts otherwise.
    mkdir -p "$WORK"
    ln -sfn /run/lxcfs "$WORK/run"
}

teardown_file() {
    has_systemd || return 0
    systemctl stop "$UNIT"
}

teardown() {
    cleanup_containers
    # As it was at first.
    if has_systemd && [[ -e $DROP_IN || -n $(find /usr/bin/lxcfsd -newer "$LXCFSD") ]]; then
        systemctl stop "$UNIT"
        rm -rf "${DROP_IN%/*}"
        systemctl daemon-reload
        install_program "$LXCFSD"
        systemctl start "$UNIT"
    fi
}

# install_program FILE: as a package manager replaces it.
install_program() {
    cp "$1" /usr/bin/lxcfsd.new
    mv /usr/bin/lxcfsd.new /usr/bin/lxcfsd
}

# plain_unit: the unit as it was before it gave the daemon a mount namespace, also in 0.1.0.
plain_unit() {
    mkdir -p "${DROP_IN%/*}"
    printf '%s\n' '[Service]' Environment= PrivateMounts=no PrivateTmp=no PrivateDevices=no \
        BindPaths= ProtectHome=no ProtectSystem=no ProtectKernelLogs=no ProtectKernelModules=no \
        ProtectKernelTunables=no ProtectProc=default RestrictNamespaces=yes \
        CapabilityBoundingSet=~CAP_SYS_CHROOT >"$DROP_IN"
    systemctl daemon-reload
}

# namespaced_unit: the unit as it is.
namespaced_unit() {
    rm -rf "${DROP_IN%/*}"
    systemctl daemon-reload
}

# is_unmounted PID: in its mount namespace.
is_unmounted() {
    if grep -E ' (/var/lib|/run)/lxcfs' "/proc/$1/mountinfo"; then return 1; fi
}

is_namespaced() { [[ $(readlink "/proc/$(main_pid)/ns/mnt") != "$(readlink /proc/1/ns/mnt)" ]]; }

# runs FILE: the daemon has that program.
runs() { cmp -s "/proc/$(main_pid)/exe" "$1"; }

main_pid() { systemctl show -p MainPID --value "$UNIT"; }
is_active() { [[ $(systemctl is-active "$UNIT") == active ]]; }
is_another() { is_active && [[ $(main_pid) != "$1" && $(main_pid) != 0 ]]; }

# begin NAME [FILE...]: a container of 96 MiB, and four threads that read files of it.
begin() {
    make_bundle "$1" -m $((96 << 20)) -q 100000
    start_container "${RUNTIMES[0]}" "$1"
    local files=("${@:2}") root
    [[ $# -gt 1 ]] || files=("proc/meminfo=98304 kB" proc/stat proc/uptime
        "sys/devices/system/cpu/online=0")
    root=/proc/$(container_pid "$1")/root
    # shellcheck disable=SC2086 # words
    "$READLOAD" ${LOAD_OPTIONS:-} 4 600 "${files[@]/#/$root/}" "@/var/lib/lxcfs/proc/uptime" \
        >"$WORK/load.txt" 2>&1 </dev/null 3>&- &
    LOAD=$!
    sleep 1
}

# end LABEL: fails if one read did.
end() {
    local status=0
    kill -TERM "$LOAD"
    wait "$LOAD" || status=$?
    echo "# $1: $(tail -n 1 "$WORK/load.txt")" >&3
    [[ $status == 0 ]] || { cat "$WORK/load.txt"; systemctl status "$UNIT"; return 1; }
}

@test "systemd: systemctl kill -s KILL of the whole unit under load fails no read" {
    begin killed
    local former
    for _ in 1 2 3; do
        former=$(main_pid)
        systemctl kill -s KILL "$UNIT"
        wait_for 10 is_another "$former"
        sleep 1
    done
    end "3 x systemctl kill -s KILL"
    lxcfsd list --json | jq -e 'length == 1'
    [[ $(awk '$1 == "MemTotal:" { print $2 }' "/proc/$(container_pid killed)/root/proc/meminfo") == 98304 ]]
}

@test "systemd: reload and restart under load fail no read" {
    begin reloaded
    local former
    former=$(main_pid)
    systemctl reload "$UNIT"
    sleep 2
    [[ $(main_pid) == "$former" ]]
    systemctl restart "$UNIT"
    wait_for 10 is_another "$former"
    sleep 1
    end "systemctl reload and restart"
}

@test "systemd: it has a mount namespace of its own, and its mounts are everybody's" {
    is_namespaced
    local keeper
    keeper=$(main_pid)
    [[ -n $(ls /lib/modules /root -A) ]]
    [[ -z $(ls -A "/proc/$keeper/root/lib/modules") ]]
    [[ ! -e /proc/$keeper/root/dev/vda && -e /proc/$keeper/root/dev/fuse ]]
    if touch "/proc/$keeper/root/usr/bin/written"; then fail "it may write there"; fi
    local process
    for process in keeper worker; do
        [[ $process == keeper ]] || keeper=$(worker_of "$keeper")
        [[ $(readlink "/proc/$keeper/ns/mnt") == "$(readlink "/proc/$(main_pid)/ns/mnt")" ]]
    done
    grep -q ' /var/lib/lxcfs .* fuse.lxcfs ' /proc/1/mountinfo
    # One that the host makes later receives them, and what becomes of them.
    unshare --mount --propagation slave sleep 1000 3>&- &
    local other=$!
    sleep 1
    systemctl stop "$UNIT"
    is_unmounted "$other"
    systemctl start "$UNIT"
    grep ' /var/lib/lxcfs ' "/proc/$other/mountinfo"
    kill "$other"
}

@test "systemd: to a unit without a mount namespace and back under load" {
    begin moved "${QUIET_FILES[@]}"
    local former unit
    for unit in plain namespaced plain namespaced; do
        "${unit}_unit"
        former=$(main_pid)
        systemctl reload "$UNIT"
        sleep 1
        [[ $(main_pid) == "$former" ]]
        systemctl restart "$UNIT"
        wait_for 10 is_another "$former"
        if is_namespaced; then [[ $unit == namespaced ]]; else [[ $unit == plain ]]; fi
        sleep 1
    done
    end "4 x another unit, reload and restart"
    systemctl stop "$UNIT"
    is_unmounted 1
    systemctl start "$UNIT"
}

@test "systemd: from earlier releases, whose unit has no mount namespace, under load" {
    local programs=("$REPO"/.build/releases/*/lxcfsd) old former
    [[ -x ${programs[0]} ]] || skip "no earlier release is built"
    # Release 0.1.0 fills files up with spaces.
    local LOAD_OPTIONS=--padded
    for old in "${programs[@]}"; do
        systemctl stop "$UNIT"
        plain_unit
        install_program "$old"
        systemctl start "$UNIT"
        begin upgraded "${QUIET_FILES[@]}"
        install_program "$LXCFSD"
        namespaced_unit
        systemctl reload "$UNIT"
        wait_for 20 runs "$LXCFSD"
        # The keeper stays where it is; the next one has the mounts as the old one made them.
        if is_namespaced; then fail "it has moved"; fi
        former=$(main_pid)
        systemctl restart "$UNIT"
        wait_for 20 is_another "$former"
        is_namespaced
        sleep 1
        end "from $old: reload, restart"
        delete_container "${RUNTIMES[0]}" upgraded
        systemctl stop "$UNIT"
        is_unmounted 1
    done
}

@test "systemd: stop leaves nothing" {
    systemctl stop "$UNIT"
    is_unmounted 1
    [[ $(systemctl is-failed "$UNIT") == inactive ]]
    systemctl start "$UNIT"
    grep -q MemTotal /var/lib/lxcfs/proc/meminfo
}
