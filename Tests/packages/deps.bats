# What Tests/install-deps installs starts and enables nothing.

load machine

setup_file() {
    start_machine bookworm "${MACHINE_WITH[@]}"
    cp "$REPO/Tests/install-deps" "$MACHINE/root/"
}
teardown_file() { stop_machine; }

enabled() { on find /etc/systemd -type l | sort; }

@test "deps: services that are installed stay disabled, also after an upgrade" {
    # Those of the list that have services.
    sed -i 's/^build=(.*/build=()/; s/^\(demo\|packages\)=(/\1_not=(/; s/^tests=(/demo=() packages=() tests=(docker.io lxcfs) rest=(/' \
        "$MACHINE/root/install-deps"
    local before
    before=$(enabled)
    run on bash /root/install-deps
    echo "$output"
    [[ $status == 0 ]]
    on test -e /usr/bin/dockerd
    diff <(echo "$before") <(enabled)
    [[ ! -e $MACHINE/usr/sbin/policy-rc.d ]]
    # An upgrade runs the same script; it enables what nobody has disabled.
    on dpkg-reconfigure lxcfs docker.io
    diff <(echo "$before") <(enabled)
    # Who wants it enables it as always.
    on systemctl enable lxcfs.service
    [[ -L $MACHINE/etc/systemd/system/multi-user.target.wants/lxcfs.service ]]
    run -0 on bash /root/install-deps
    [[ $output == "all installed" ]]
}

@test "deps: make demo needs no service and no engine" {
    run bash -c 'source <(sed -n "/^build=/p; /^demo=/p" "$1"); echo "${build[@]}" "${demo[@]}"' - \
        "$REPO/Tests/install-deps"
    [[ $output == *runc* && $output != *docker* && $output != *podman* && $output != *lxcfs* &&
        $output != *qemu* ]]
}
