# The .deb on a Debian without Swift and without a service manager: installed, upgraded under load,
# removed while containers run, purged. PACKAGES has the packages, PACKAGES/before those of a former
# version; SUITE is the Debian.

load machine

: "${SUITE:=bookworm}"

setup_file() {
    # Debian 13 also without systemctl.
    if [[ $SUITE == bookworm ]]; then
        start_machine bookworm "${MACHINE_WITH[@]}"
    else
        start_machine "$SUITE" busybox-static runc
    fi
    inventory >"$MACHINE.before"
}
teardown_file() { stop_machine; }

# give DIRECTORY: has its package as /root/package.deb on the machine.
give() { cp "$1"/lxcfs-hook_*.deb "$MACHINE/root/package.deb"; }

status_of() { on dpkg-query -W -f '${db:Status-Abbrev}' lxcfs-hook; }

@test "$SUITE: it installs without anything else, and is enabled" {
    give "$PACKAGES/before"
    run on dpkg -i /root/package.deb
    echo "$output"
    [[ $status == 0 && $(status_of) == "ii " ]]
    [[ -L $MACHINE/etc/systemd/system/multi-user.target.wants/lxcfsd.service ]] ||
        ! on test -x /usr/bin/deb-systemd-helper
    on lxcfsd --version
    on lxcfs-hook --version
}

@test "$SUITE: a container is served" {
    start_daemon
    start_container web
    [[ $(meminfo web) == 98304 ]]
    run on lxcfs-hook check
    echo "$output"
}

@test "$SUITE: upgrades under load fail no read" {
    local pid
    pid=$(on cat /run/lxcfs/lxcfsd.pid)
    # The first release fills files up with spaces.
    begin_load web --padded
    give "$PACKAGES"
    on dpkg -i /root/package.deb
    wait_for 20 is_new "$pid"
    # And one more time, as from the commit before.
    for _ in 1 2; do on dpkg -i /root/package.deb && sleep 1; done
    end_load "$SUITE: three upgrades"
    [[ $(on cat /run/lxcfs/lxcfsd.pid) == "$pid" && $(meminfo web) == 98304 ]]
}

# The keeper is the program that is on the disk, and answers.
is_new() { [[ $(on readlink "/proc/$1/exe") == /usr/bin/lxcfsd ]] && on lxcfsd status; }

@test "$SUITE: removed while containers run: they have the kernel's files" {
    start_container other
    [[ $(meminfo other) == 98304 ]]
    run on dpkg -r lxcfs-hook
    echo "$output"
    [[ $status == 0 && $output != *"lxcfs-hook:"*error* ]]
    local name
    for name in web other; do
        [[ $(meminfo $name) == "$(host_meminfo)" && $(mounted $name) == 0 ]] || fail "$name"
    done
    on grep -c ' /var/lib/lxcfs' /proc/mounts && fail "mounted"
    [[ $(status_of) == "rc " ]]
    end_container other
    end_container web
}

@test "$SUITE: purging leaves nothing" {
    on dpkg -P lxcfs-hook
    rm -rf "$MACHINE/root"/*
    inventory >"$MACHINE.after"
    diff "$MACHINE.before" "$MACHINE.after"
}
