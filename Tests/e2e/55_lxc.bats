# What is written for lxcfs: LXC with lxcfs's own hook, Incus, and whoever binds the mountpoint.
# The hook and its configuration are those of Debian's package lxcfs; lxcfs itself does not run.
# The hook looks at /var/lib/lxcfs, so that is the mountpoint here, below a tmpfs.
#
# LXCFS_MOUNT_HOOK and LXC_COMMON_CONFIG are other copies of these files.

load helpers

: "${LXCFS_MOUNT_HOOK:=/usr/share/lxcfs/lxc.mount.hook}"
: "${LXC_COMMON_CONFIG:=/usr/share/lxc/config/common.conf}"
MOUNTPOINT=/var/lib/lxcfs

setup_file() {
    mkdir -p $MOUNTPOINT
    mount -t tmpfs tmpfs $MOUNTPOINT
    mkdir "$WORK/lxc"
}

setup() { needs_binaries; }

teardown() {
    local name
    for name in "$WORK"/*.lxc; do
        [[ ! -e $name ]] || stop_lxc "$(basename "$name" .lxc)"
    done
    cleanup_containers
    end_daemon
    umount -l "$WORK/bound" $MOUNTPOINT/ "$WORK/run/tree" 2>/dev/null || true
    is_below_tmpfs || mount -t tmpfs tmpfs $MOUNTPOINT
    rm -rf "$WORK"/{run,devices,bound,rootfs.*}
}

# serve [PROGRAM [OPTION...]]: the daemon, on $SERVED.
SERVED=$MOUNTPOINT
serve() {
    local program=${1:-$LXCFSD}
    # What a daemon that was killed has left is dead, and mkdir(1) may say so.
    is_mounted "$SERVED" || mkdir -p "$SERVED"
    mkdir -p "$WORK/run"
    "$program" --runtime-dir "$WORK/run" "${@:2}" "$SERVED" >>"$WORK/lxcfsd.log" 2>&1 </dev/null 3>&- &
    echo $! >"$WORK/daemon.pid"
    wait_for 5 cat "$SERVED/proc/meminfo" || fail "$(<"$WORK/lxcfsd.log")"
}

is_below_tmpfs() { grep -q " $MOUNTPOINT .* - tmpfs" /proc/self/mountinfo; }

is_mounted() { grep -q " $1[ /].* - fuse" /proc/self/mountinfo; }

end_daemon() {
    [[ -e $WORK/daemon.pid ]] || return 0
    stop_process "$(daemon_pid)" || fail "the daemon did not stop"
    rm "$WORK/daemon.pid"
    ! is_mounted "$SERVED" || fail "left mounted: $(grep "$SERVED" /proc/self/mountinfo)"
    ! is_mounted "$WORK/run" || fail "left mounted: $(grep "$WORK/run" /proc/self/mountinfo)"
}

# --- Whoever binds the mountpoint. ---

# total_in CONTAINER PATH
total_in() { exec_container "$1" "$2" awk '$1 == "MemTotal:" { print $2 }' "$3"; }

# bind_in NAME OPTION: the mountpoint, in the bundle, where LXC has it for nested containers.
bind_in() {
    set_config "$1" '.mounts += [{destination: "/var/lib/lxcfs", type: "none",
        source: $source, options: [$option]}]' --arg source $MOUNTPOINT --arg option "$2"
}

binds() {
    local bound file
    make_bundle other -m $((96 << 20))
    start_container "$1" other
    make_bundle plain -n -m $((64 << 20)) -q 100000
    bind_in plain bind
    start_container "$1" plain
    make_bundle whole -n -m $((80 << 20))
    bind_in whole rbind
    start_container "$1" whole
    # The same files as on the mountpoint, with the reader's numbers.
    [[ $(total_in "$1" plain $MOUNTPOINT/proc/meminfo) == 65536 ]]
    [[ $(total_in "$1" whole $MOUNTPOINT/proc/meminfo) == 81920 ]]
    [[ $(exec_container "$1" plain cat $MOUNTPOINT/sys/devices/system/cpu/online) == 0 ]]
    bound=$(exec_container "$1" plain find $MOUNTPOINT/proc | LC_ALL=C sort)
    diff <(echo "$bound") <(find $MOUNTPOINT/proc | LC_ALL=C sort)
    # What the mountpoint itself has is the host's, and all the names.
    [[ $(ls $MOUNTPOINT) == $'other\nproc\nsys' ]] || fail "$(ls $MOUNTPOINT)"
    [[ $(awk '$1 == "MemTotal:" { print $2 }' $MOUNTPOINT/other/proc/meminfo) == 98304 ]]
    # Of other containers nothing is seen, not even by who knows the name, before or after
    # somebody on the host has looked.
    for _ in 1 2; do
        for file in plain whole; do
            [[ $(exec_container "$1" $file ls $MOUNTPOINT) == $'proc\nsys' ]]
            run exec_container "$1" $file find $MOUNTPOINT -name "*other*"
            [[ -z $output ]] || fail "$file: $output"
            for path in {,/proc,/proc/meminfo,/proc/pressure,/proc/pressure/cpu,/sys}; do
                run ! exec_container "$1" $file ls -d "$MOUNTPOINT/other$path"
            done
        done
        ls -R $MOUNTPOINT/other "$WORK/run/tree/other" >/dev/null
    done
    # The container that is served has its files all the same.
    [[ $(total_in "$1" other /proc/meminfo) == 98304 ]]
    for file in other plain whole; do delete_container "$1" $file; done
}

@test "a bind mount of the mountpoint has proc and sys, and nothing of other containers" {
    serve
    for_each_runtime binds
}

@test "a bind mount outlives the worker, the keeper's program and an upgrade" {
    cp "$LXCFSD" "$WORK/lxcfsd"
    serve "$WORK/lxcfsd"
    mkdir "$WORK/bound"
    mount --bind $MOUNTPOINT "$WORK/bound"
    kill -KILL "$(worker_pid)"
    grep -q MemTotal "$WORK/bound/proc/meminfo"
    cp "$LXCFSD" "$WORK/new" && mv "$WORK/new" "$WORK/lxcfsd"
    kill -HUP "$(daemon_pid)"
    wait_for 10 grep -q "upgraded: worker" "$WORK/lxcfsd.log"
    grep -q MemTotal "$WORK/bound/proc/meminfo"
    [[ $(ls "$WORK/bound") == $'proc\nsys' ]]
    end_daemon
    run ! cat "$WORK/bound/proc/meminfo"
    umount "$WORK/bound"
}

@test "one unmount clears the mountpoint, and killed at any moment it leaves nothing for long" {
    local i
    serve
    umount -l $MOUNTPOINT
    ! is_mounted $MOUNTPOINT || fail "$(grep $MOUNTPOINT /proc/self/mountinfo)"
    kill -KILL "$(daemon_pid)"
    rm "$WORK/daemon.pid"
    for ((i = 0; i < $(repeats 40); i++)); do
        "$LXCFSD" --runtime-dir "$WORK/run" $MOUNTPOINT >>"$WORK/lxcfsd.log" 2>&1 </dev/null 3>&- &
        sleep "0.0$((i % 4))$((i * 7 % 10))"
        kill -KILL $! || { tail -n 3 "$WORK/lxcfsd.log" >&2; false; }
        wait $! || true
    done
    serve
    wait_for 5 grep -q MemTotal "$WORK/run/tree/proc/meminfo"
    [[ $(grep -cE " ($MOUNTPOINT|$WORK/run/tree)[ /].* - fuse" /proc/self/mountinfo) == 5 ]] ||
        fail "$(grep fuse /proc/self/mountinfo)"
    end_daemon
    [[ ! -e $WORK/run/tree ]]
}

# --- LXC. ---

needs_lxc() {
    needs_command lxc-start
    [[ -e $LXCFS_MOUNT_HOOK ]] || skip "needs $LXCFS_MOUNT_HOOK"
    [[ -e $LXC_COMMON_CONFIG ]] || skip "needs $LXC_COMMON_CONFIG"
}

# start_lxc NAME MEGABYTES [LINE...]: a container with the configuration that distributions
# have for all, which includes lxcfs's, and further lines. UNPRIVILEGED=1: as Incus has them by
# default, in a user namespace.
start_lxc() {
    local name=$1 rootfs=$WORK/rootfs.$1 config=$WORK/$1.conf key=memory.limit_in_bytes cgroup=cgroup
    if [[ $(cgroup_version) == v2 ]]; then key=memory.max cgroup=cgroup2; fi
    cp -a "$IMAGE_ROOTFS" "$rootfs"
    mkdir -p "$rootfs$MOUNTPOINT" "$rootfs/inner" "$rootfs/sbin"
    cp "$LXCFS_MOUNT_HOOK" "$rootfs/hook"
    {
        echo "lxc.include = $LXC_COMMON_CONFIG"
        echo "lxc.uts.name = $name"
        echo "lxc.rootfs.path = dir:$rootfs"
        echo "lxc.net.0.type = empty"
        echo "lxc.apparmor.profile = unconfined"
        echo "lxc.cgroup.dir = ${E2E_CGROUP#/}/$name"
        echo "lxc.$cgroup.$key = $2M"
        echo "lxc.init.cmd = /bin/sleep 86400"
        if [[ ${UNPRIVILEGED:-} == 1 ]]; then
            echo "lxc.include = ${LXC_COMMON_CONFIG%/*}/userns.conf"
            echo "lxc.idmap = u 0 100000 65536"
            echo "lxc.idmap = g 0 100000 65536"
            chown -R 100000:100000 "$rootfs"
        fi
        printf '%s\n' "${@:3}"
    } >"$config"
    echo "$name" >"$WORK/$name.lxc"
    lxc-start -P "$WORK/lxc" -n "$name" -f "$config" -l INFO -o "$WORK/$name.lxclog" -F \
        >"$WORK/$name.log" 2>&1 </dev/null 3>&- &
    lxc-wait -P "$WORK/lxc" -n "$name" -s RUNNING -t 20 3>&- ||
        fail "$(cat "$WORK/$name.log"; tail -n 20 "$WORK/$name.lxclog")"
}

stop_lxc() {
    lxc-stop -k -P "$WORK/lxc" -n "$1" 3>&- || true
    rm -f "$WORK/$1.lxc"
}

# in_lxc NAME COMMAND...
in_lxc() { lxc-attach -P "$WORK/lxc" -n "$1" --clear-env -v PATH=/bin -- "${@:2}" </dev/null 3>&-; }

total_in_lxc() { in_lxc "$1" awk '$1 == "MemTotal:" { print $2 }' "$2"; }

# shows_itself NAME MEGABYTES
shows_itself() {
    local file
    [[ $(total_in_lxc "$1" /proc/meminfo) == $(($2 << 10)) ]] ||
        fail "$1: $(in_lxc "$1" head -n 1 /proc/meminfo)" "$(in_lxc "$1" cat /proc/self/mountinfo)"
    for file in cpuinfo diskstats loadavg meminfo stat swaps uptime; do
        in_lxc "$1" grep -q " /proc/$file .* - fuse" /proc/self/mountinfo || fail "$file is the host's"
        [[ -n $(in_lxc "$1" head -c 1 "/proc/$file") || $file == diskstats ]]
    done
    in_lxc "$1" grep -q " /sys/devices/system/cpu .* - fuse" /proc/self/mountinfo
    # Seconds, where the host's is minutes at least.
    [[ $(in_lxc "$1" cat /proc/uptime) =~ ^[0-9]{1,2}\. ]] || fail "$(in_lxc "$1" cat /proc/uptime)"
}

@test "LXC, with the hook of lxcfs" {
    needs_lxc
    serve
    start_lxc first 64
    start_lxc second 96
    shows_itself first 64
    shows_itself second 96
    # Two more: what the hook puts there for nested containers.
    [[ $(total_in_lxc first $MOUNTPOINT/proc/meminfo) == 65536 ]]
    [[ $(in_lxc first ls $MOUNTPOINT) == $'proc\nsys' ]]
    kill -KILL "$(worker_pid)"
    shows_itself first 64
}

# A user namespace cannot bind a mount without what is mounted below it.
@test "LXC without privileges, with the hook of lxcfs" {
    needs_lxc
    serve
    chmod 711 "$WORK" "$WORK/lxc" "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/file
    UNPRIVILEGED=1 start_lxc mapped 64
    [[ $(in_lxc mapped cat /proc/self/uid_map) == *100000* ]]
    shows_itself mapped 64
    [[ $(total_in_lxc mapped $MOUNTPOINT/proc/meminfo) == 65536 ]]
    [[ $(in_lxc mapped ls $MOUNTPOINT) == $'proc\nsys' ]]
    # The hook of this project, over what lxcfs's has mounted, and away again.
    local pid
    pid=$(lxc-info -P "$WORK/lxc" -p -H -n mapped 3>&-)
    run -0 "$LXCFS_HOOK" attach "$pid" --id mapped --runtime-dir "$WORK/run" --no-syslog
    in_lxc mapped grep -q "/mapped/proc/meminfo /proc/meminfo " /proc/self/mountinfo
    shows_itself mapped 64
}

@test "LXC: the hook of lxcfs in the container, for one that is nested" {
    needs_lxc
    serve
    start_lxc outer 96
    in_lxc outer sh -c 'cd /inner && cp -a /bin . && mkdir -p proc sys var/lib/lxcfs &&
        mount -t proc proc proc && mount -t sysfs sysfs sys &&
        LXC_ROOTFS_MOUNT=/inner LXC_CGNS_AWARE=1 sh -e /hook'
    run in_lxc outer grep -c " /inner/proc/.* - fuse" /proc/self/mountinfo
    [[ $output == "$(ls $MOUNTPOINT/proc | wc -l)" ]] || fail "mounts: $output"
    in_lxc outer grep -q " /inner/sys/devices/system/cpu .* - fuse" /proc/self/mountinfo
    [[ $(total_in_lxc outer /inner/proc/meminfo) == 98304 ]]
    [[ $(total_in_lxc outer /inner$MOUNTPOINT/proc/meminfo) == 98304 ]]
    needs_cgroup v1
    # A nested container with a limit of its own.
    local init cgroup
    lxc-attach -P "$WORK/lxc" -n outer --clear-env -v PATH=/bin -- /bin/unshare -p -f /bin/chroot /inner \
        /bin/sh -c 'while sleep 0.1; do head -n 1 /proc/meminfo >/seen.new; mv /seen.new /seen; done' \
        </dev/null >"$WORK/inner.log" 2>&1 3>&- &
    wait_for 5 test -s "$WORK/rootfs.outer/inner/seen"
    init=$(pgrep -f -x "/bin/sh -c while sleep 0.1; do head -n 1 /proc/meminfo.*")
    cgroup=$(sed -n 's/^[0-9]*:memory://p' "/proc/$init/cgroup")/inner
    make_limited_cgroup "$cgroup" $((32 << 20))
    echo "$init" >"/sys/fs/cgroup/memory$cgroup/cgroup.procs"
    wait_for 5 grep -q " 32768 kB" "$WORK/rootfs.outer/inner/seen" ||
        fail "$(<"$WORK/rootfs.outer/inner/seen")"
}

# --- Incus. ---

# With instances.lxcfs.per_instance Incus starts a daemon for each instance before it starts that,
# and has the instance's pre-mount hook bind its mountpoint over the system's lxcfs
# (internal/server/instance/drivers/driver_lxc.go). Later it kills the daemon and unmounts once.
@test "Incus: a daemon for each instance" {
    needs_lxc
    SERVED=$WORK/devices/lxcfs
    mkdir -p "$WORK/bin"
    ln -sf "$LXCFSD" "$WORK/bin/lxcfs"
    serve "$WORK/bin/lxcfs" -f -p "$WORK/lxcfs.pid"
    [[ $(<"$WORK/lxcfs.pid") == "$(daemon_pid)" ]]
    ! is_mounted $MOUNTPOINT
    chmod 711 "$WORK" "$WORK/lxc" "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/file
    UNPRIVILEGED=1 start_lxc instance 64 "lxc.hook.version = 1" "lxc.hook.pre-mount = mount -o bind $SERVED $MOUNTPOINT/"
    shows_itself instance 64
    [[ $(total_in_lxc instance $MOUNTPOINT/proc/meminfo) == 65536 ]]
    stop_lxc instance
    kill -KILL "$(daemon_pid)"
    rm "$WORK/daemon.pid"
    umount -l "$SERVED"
    ! is_mounted "$SERVED" || fail "$(grep "$SERVED" /proc/self/mountinfo)"
    # The next one of this instance.
    serve "$WORK/bin/lxcfs" -f -p "$WORK/lxcfs.pid"
    end_daemon
    rmdir "$SERVED"
}
