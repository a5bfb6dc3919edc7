# The tarball on a Debian without systemctl.

load machine

setup_file() {
    start_machine trixie busybox-static runc
    inventory >"$MACHINE.before"
}
teardown_file() { stop_machine; }

@test "tarball: installed, installed again under load, and uninstalled while a container runs" {
    mkdir "$MACHINE/root/tar"
    tar -C "$MACHINE/root/tar" --strip-components=1 -xf "$PACKAGES"/*.tar.gz
    on /root/tar/install
    [[ $(on readlink -f /usr/bin/lxcfs-hook) == /usr/libexec/oci/lxcfs-hook ]]
    start_daemon
    start_container web
    [[ $(meminfo web) == 98304 ]]
    begin_load web
    on /root/tar/install
    sleep 2
    on /root/tar/install
    end_load "tarball: two upgrades"
    run on /root/tar/uninstall
    echo "$output"
    [[ $status == 0 && $(meminfo web) == "$(host_meminfo)" && $(mounted web) == 0 ]]
    end_container web
    rm -rf "$MACHINE/root"/*
    rm -f "$MACHINE/etc/default/lxcfsd"
    inventory >"$MACHINE.after"
    diff "$MACHINE.before" "$MACHINE.after"
}
