# The .rpm where there is rpm: installed, upgraded under load, removed while containers run.

load machine

setup_file() {
    start_machine bookworm "${MACHINE_WITH[@]}"
    inventory >"$MACHINE.before"
}
teardown_file() { stop_machine; }

give() { cp "$1"/lxcfs-hook-*.rpm "$MACHINE/root/package.rpm"; }

# /bin/sh is of a package of Debian here, of which rpm knows nothing.
rpm_on() { on rpm --nodeps "$@" 2> >(grep -v 'Unable to get systemd shutdown inhibition lock' >&2); }

@test "rpm: it installs without anything else" {
    give "$PACKAGES/before"
    run rpm_on -i /root/package.rpm
    echo "$output"
    [[ $status == 0 ]]
    rpm_on -V lxcfs-hook
    run on rpm -q --requires lxcfs-hook
    # Of the scripts and of rpm itself.
    ! grep -vE '^(/bin/sh|rpmlib\(.*|config\(lxcfs-hook\) .*)( |$)' <<<"$output" || fail "$output"
}

@test "rpm: a container is served" {
    start_daemon
    start_container web
    [[ $(meminfo web) == 98304 ]]
}

@test "rpm: an upgrade under load fails no read" {
    local pid
    pid=$(on cat /run/lxcfs/lxcfsd.pid)
    begin_load web --padded
    give "$PACKAGES"
    rpm_on -U /root/package.rpm
    wait_for 20 is_new "$pid"
    rpm_on -U --force /root/package.rpm
    end_load "rpm: two upgrades"
    [[ $(on cat /run/lxcfs/lxcfsd.pid) == "$pid" && $(meminfo web) == 98304 ]]
}

is_new() { [[ $(on readlink "/proc/$1/exe") == /usr/bin/lxcfsd ]] && on lxcfsd status; }

@test "rpm: removed while a container runs: it has the kernel's files, and nothing is left" {
    run rpm_on -e lxcfs-hook
    echo "$output"
    [[ $status == 0 ]]
    [[ $(meminfo web) == "$(host_meminfo)" && $(mounted web) == 0 ]]
    end_container web
    rm -rf "$MACHINE/root"/*
    # Of the package filesystem, where rpm is at home.
    on rmdir /usr/share/licenses
    inventory >"$MACHINE.after"
    diff "$MACHINE.before" "$MACHINE.after"
}
