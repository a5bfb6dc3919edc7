# The unit of examples/systemd under the real systemd: where that is the first process of a
# machine of our own (Tests/vm/run-vm --systemd).

load helpers

: "${READLOAD:=$REPO/.build/release/readload}"
UNIT=lxcfsd.service

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

teardown() { cleanup_containers; }

main_pid() { systemctl show -p MainPID --value "$UNIT"; }
is_active() { [[ $(systemctl is-active "$UNIT") == active ]]; }
is_another() { is_active && [[ $(main_pid) != "$1" && $(main_pid) != 0 ]]; }

# begin NAME: a container of 96 MiB, and four threads that read its files.
begin() {
    make_bundle "$1" -m $((96 << 20)) -q 100000
    start_container "${RUNTIMES[0]}" "$1"
    local root=/proc/$(container_pid "$1")/root
    "$READLOAD" 4 600 "$root/proc/meminfo=98304 kB" "$root/proc/stat" "$root/proc/uptime" \
        "$root/sys/devices/system/cpu/online=0" "@/var/lib/lxcfs/proc/uptime" \
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
    local i former
    for i in 1 2 3; do
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

@test "systemd: stop leaves nothing" {
    systemctl stop "$UNIT"
    ! grep -q ' /var/lib/lxcfs' /proc/self/mountinfo
    [[ $(systemctl is-failed "$UNIT") == inactive ]]
    systemctl start "$UNIT"
    grep -q MemTotal /var/lib/lxcfs/proc/meminfo
}
