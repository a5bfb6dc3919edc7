# A machine to install packages on: a Debian of Tests/packages/root, with mounts and processes of its
# own, without a service manager. Used by the tests beside this file.
# shellcheck shell=bash
# shellcheck disable=SC2016 # the machine expands it

PACKAGES_DIR=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
REPO=$(cd "$PACKAGES_DIR/../.." && pwd)
PACKAGES=${PACKAGES:-$REPO/.build/packages}
MACHINE=${BATS_FILE_TMPDIR:-/nonexistent}/machine

# What is started in the background must not have descriptor 3 open: bats waits for it.

# shellcheck disable=SC2034 # the tests use it
# What Debian 12 is made with for the tests: one for all.
MACHINE_WITH=(busybox-static jq rpm runc systemd)

# start_machine SUITE [PACKAGE ...]
start_machine() {
    mkdir -p "$MACHINE"
    mount -t tmpfs -o mode=755 machine "$MACHINE"
    "$PACKAGES_DIR/root" "$1" "$MACHINE" "${@:2}"
    unshare --mount --pid --fork --kill-child --propagation private \
        "$PACKAGES_DIR/machine-init" "$MACHINE" >"$MACHINE.log" 2>&1 3>&- &
    local parent=$!
    for _ in {1..100}; do
        MACHINE_PID=$(cat "/proc/$parent/task/$parent/children" 2>/dev/null) || true
        MACHINE_PID=${MACHINE_PID// /}
        [[ -e $MACHINE/machine-is-up ]] && break
        sleep 0.1
    done
    rm "$MACHINE/machine-is-up" || { cat "$MACHINE.log" >&2; return 1; }
    echo "$MACHINE_PID" >"$MACHINE.pid"
}

stop_machine() {
    local cgroup pid
    [[ -e $MACHINE.pid ]] || return 0
    pid=$(cat "$MACHINE.pid")
    kill -KILL "$pid" || true
    for _ in {1..50}; do [[ -e /proc/$pid ]] || break; sleep 0.1; done
    rm "$MACHINE.pid"
    umount -l "$MACHINE"
    sleep 0.2
    for cgroup in /sys/fs/cgroup/*/"lxcfs-packages-$pid" "/sys/fs/cgroup/lxcfs-packages-$pid"; do
        [[ -d $cgroup ]] || continue
        find "$cgroup" -depth -type d -exec rmdir {} \; 2>/dev/null || true
    done
}

# on COMMAND...: on the machine.
on() {
    nsenter --target "$(cat "$MACHINE.pid")" --mount --pid --root --wdns=/ \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive \
        "$@" </dev/null 3>&-
}

fail() { printf '%s\n' "$@" >&2; return 1; }

wait_for() { # SECONDS COMMAND...
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || fail "timed out: $*" || return 1
        sleep 0.1
    done
}

# What is on the machine's disk, but for what dpkg, rpm and the like keep of packages.
inventory() {
    on find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/lib/dpkg \
        -o -path /var/cache -o -path /var/log -o -path /var/lib/rpm -o -path /etc/sysconfig -o -path /root \
        -o -path /var/lib/systemd/deb-systemd-helper-enabled \) -prune -o -printf '%p %y %m\n' | sort
    on find /run -path /run/runc -prune -o -printf '%p %y\n' | sort
}

# start_daemon: as the unit does, by hand.
start_daemon() {
    on sh -c 'exec lxcfsd /var/lib/lxcfs' >"$MACHINE.lxcfsd" 2>&1 3>&- &
    wait_for 10 on test -e /var/lib/lxcfs/proc/meminfo
}

# start_container NAME: 96 MiB, of busybox, with the hook.
start_container() {
    local bundle=$MACHINE/root/bundles/$1
    mkdir -p "$bundle/rootfs/"{bin,proc,sys,dev}
    cp "$MACHINE/bin/busybox" "$bundle/rootfs/bin/"
    ln -s busybox "$bundle/rootfs/bin/sleep"
    on sh -c "cd /root/bundles/$1 && runc spec"
    jq --arg cgroup "/lxcfs-packages-$(cat "$MACHINE.pid")/$1" '.process.terminal = false
        | .process.args = ["sleep", "86400"]
        | .linux.cgroupsPath = $cgroup
        | .linux.resources.memory.limit = 100663296
        | .hooks = {createRuntime: [{path: "/usr/libexec/oci/lxcfs-hook",
                args: ["lxcfs-hook", "createRuntime"], timeout: 10}],
            poststop: [{path: "/usr/libexec/oci/lxcfs-hook", args: ["lxcfs-hook", "poststop"]}]}' \
        "$bundle/config.json" >"$bundle/new" && mv "$bundle/new" "$bundle/config.json"
    on runc run --detach --bundle "/root/bundles/$1" --pid-file "/root/$1.pid" "$1" >"$MACHINE.runc" 2>&1 ||
        { cat "$MACHINE.runc" >&2; return 1; }
}

end_container() { on runc delete --force "$1"; }

# meminfo NAME: MemTotal as the container reads it.
meminfo() {
    on runc exec "$1" /bin/busybox awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo
}
host_meminfo() { awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo; }

# mounted NAME: how many mounts of ours it has.
mounted() { on grep -cE ' - (fuse\.lxcfs|overlay lxcfs) ' "/proc/$(cat "$MACHINE/root/$1.pid")/mountinfo" || true; }

# begin_load NAME [READLOAD-OPTION...]: four threads that read the container's files.
begin_load() {
    local root
    cp "$REPO/.build/release/readload" "$MACHINE/root/"
    root=/proc/$(cat "$MACHINE/root/$1.pid")/root
    on /root/readload "${@:2}" 4 600 "$root/proc/meminfo=98304 kB" "$root/proc/stat" \
        "$root/proc/uptime" "$root/sys/devices/system/cpu/online" >"$MACHINE.load" 2>&1 3>&- &
    LOAD=$!
    sleep 1
}

# end_load LABEL: fails if one read did.
end_load() {
    local status=0
    sleep 1
    on pkill -TERM -x readload || on sh -c 'for p in /proc/[0-9]*; do
        [ "$(cat $p/comm)" != readload ] || kill -TERM ${p#/proc/}; done'
    wait "$LOAD" || status=$?
    echo "# $1: $(tail -n 1 "$MACHINE.load")" >&3
    [[ $status == 0 ]] || { cat "$MACHINE.load" >&2; return 1; }
}
