# The .deb beside Debian's lxcfs, whose package has the hook of LXC.

load machine

setup_file() {
    start_machine bookworm "${MACHINE_WITH[@]}"
    # shellcheck source=Tests/vm/apt.bash
    source "$REPO/Tests/vm/apt.bash"
    apt_of bookworm "$REPO/.build/roots/apt" apt-get -qq update
    # What it depends on is not needed for this: it does not run.
    (cd "$MACHINE/root" && apt_of bookworm "$REPO/.build/roots/apt" apt-get -qq download lxcfs)
    on sh -c 'dpkg -i --force-depends /root/lxcfs_*.deb'
}
teardown_file() { stop_machine; }

@test "beside lxcfs: it is noticed, nothing is taken from it, and lxcfsd is not started" {
    cp "$PACKAGES"/lxcfs-hook_*.deb "$MACHINE/root/package.deb"
    run on dpkg -i /root/package.deb
    echo "$output"
    [[ $status == 0 && $output == *"systemctl disable --now lxcfs && systemctl enable --now lxcfsd"* ]]
    [[ ! -L $MACHINE/etc/systemd/system/multi-user.target.wants/lxcfsd.service ]]
    [[ -L $MACHINE/etc/systemd/system/multi-user.target.wants/lxcfs.service ]]
    on dpkg --audit
    on dpkg -V lxcfs
}

@test "beside lxcfs: removing and purging leave it alone" {
    on dpkg -P lxcfs-hook
    on dpkg -V lxcfs
    on test -d /var/lib/lxcfs
}

@test "beside lxcfs whose service is disabled: lxcfsd is enabled, and LXC's hook finds its files" {
    on systemctl disable lxcfs.service
    run on dpkg -i /root/package.deb
    [[ $status == 0 && $output != *"disable --now"* ]] || fail "$output"
    [[ -L $MACHINE/etc/systemd/system/multi-user.target.wants/lxcfsd.service ]]
    start_daemon
    on mkdir -p /root/rootfs/proc /root/rootfs/sys/devices/system/cpu /root/rootfs/var/lib/lxcfs
    run on unshare --mount --propagation private sh -ec '
        mount -t proc proc /root/rootfs/proc
        mount -t sysfs sysfs /root/rootfs/sys
        env LXC_HOOK_TYPE=mount LXC_ROOTFS_MOUNT=/root/rootfs LXC_NAME=x \
            /usr/share/lxcfs/lxc.mount.hook x lxc mount
        grep -c " /root/rootfs/proc/.* - fuse.lxcfs " /proc/self/mountinfo'
    echo "$output"
    [[ $status == 0 && ${lines[-1]} -ge 8 ]]
}
