# Accidents of a host: how a daemon or a hook may be started that means no harm, and is harmful.

load helpers

setup_file() { needs_binaries; }

teardown() {
    cleanup_containers
    stop_daemon
    rm -rf "$WORK/run" "$WORK/lxcfs"
    : >"$WORK/lxcfsd.log"
}

ask() { "$LXCFSD" "$1" --runtime-dir "$WORK/run" "${@:2}"; }

# total_of NAME: MemTotal as container NAME sees it, in kB.
total_of() {
    awk '$1 == "MemTotal:" { print $2 }' "/proc/$(container_pid "$1")/root/proc/meminfo"
}

total_is() { [[ $(total_of "$1") == "$2" ]]; }

# start NAME: a container of 64 MiB that stays.
start() {
    make_bundle "$1" -m $((64 << 20)) sleep 1000
    start_container "${RUNTIMES[0]}" "$1"
    total_is "$1" 65536
}

answers() { cat "$WORK/lxcfs/proc/uptime"; }

# start_with SHELL-TEXT [OPTION...]: a daemon for which a shell has set the stage; "$@" starts it.
start_with() {
    local stage=$1
    shift
    mkdir -p "$WORK/lxcfs"
    bash -c "$stage" bash "$LXCFSD" --runtime-dir "$WORK/run" "$@" "$WORK/lxcfs" \
        </dev/null >>"$WORK/lxcfsd.log" 2>&1 3>&- &
    echo $! >"$WORK/daemon.pid"
    wait_for 5 answers || { cat "$WORK/lxcfsd.log"; return 1; }
}

# replace_worker: the next one serves then.
replace_worker() {
    local former
    former=$(worker_pid)
    kill -KILL "$former"
    wait_for 5 is_gone "$former"
    wait_for 5 answers
}

file_of() { readlink "/proc/$1/fd/$2"; }

@test "standard descriptors are closed at start: nothing else gets their numbers" {
    local closed number
    for closed in "0<&-" "1>&-" "2>&-" "0<&- 1>&- 2>&-"; do
        start_with "exec \"\$@\" $closed" -d
        start std
        replace_worker
        total_is std 65536
        for number in 0 1 2; do
            [[ $(file_of "$(daemon_pid)" "$number") == @(/dev/null|"$WORK/lxcfsd.log") ]]
            [[ $(file_of "$(worker_pid)" "$number") == @(/dev/null|"$WORK/lxcfsd.log") ]]
        done
        ! grep -aq lxcfsd: "$WORK"/run/counters.* "$WORK"/run/*.json "$WORK"/run/containers/*
        # What the hook opens does not get them either.
        make_bundle "hook" -m $((64 << 20)) sleep 1000
        set_config hook '.hooks.createRuntime[0] |= (.args = ["sh", "-c", $text] |
            .path = "/bin/sh")' --arg text "exec $LXCFS_HOOK createRuntime --log-level debug \
            --runtime-dir $WORK/run ${closed#'0<&-'}"
        start_container "${RUNTIMES[0]}" hook
        total_is hook 65536
        cleanup_containers
        stop_daemon
    done
}

# refuses TEXT [OPTION...]: the daemon does not start, and says why.
refuses() {
    local text=$1
    shift
    run timeout 10 "$LXCFSD" "$@" </dev/null
    [[ $status == 1 && $output == *"$text"* ]] || fail "$status: $output" "not: $text"
    ! mountpoint -q "$WORK/lxcfs"
}

@test "a runtime directory that others may decide about is refused, and so is a mountpoint" {
    local run=$WORK/run place=$WORK/lxcfs
    mkdir -p "$run" "$place" "$WORK/way"
    local start=(--runtime-dir "$run" "$place")
    chown 1234 "$run"
    refuses "$run belongs to user 1234" "${start[@]}"
    chown 0 "$run"
    chmod 777 "$run"
    refuses "$run may be written by others than root (mode 777)" "${start[@]}"
    # Sticky does not help: what is not there yet can be planted.
    chmod 1777 "$run"
    refuses "$run may be written by others" "${start[@]}"
    chmod 775 "$run"
    refuses "$run may be written by others" "${start[@]}"
    chmod 755 "$run"

    # On the way to it, and to links on the way.
    mkdir -p "$WORK/way/a/b"
    ln -s "$WORK/way/a/b" "$WORK/way/link"
    ln -s "$WORK/way/link" "$WORK/way/link2"
    chown 1234 "$WORK/way/a"
    refuses "$WORK/way/a, on the way to $WORK/way/a/b, belongs" --runtime-dir "$WORK/way/a/b" "$place"
    refuses "$WORK/way/a, on the way to $WORK/way/link2/run, belongs" \
        --runtime-dir "$WORK/way/link2/run" "$place"
    refuses "$WORK/way/a, on the way to $WORK/way/a/b, belongs" --runtime-dir "$run" "$WORK/way/a/b"
    refuses "$WORK/way/a, on the way to $WORK/way/a/new/x, belongs" \
        --runtime-dir "$run" "$WORK/way/a/new/x"
    chown 0 "$WORK/way/a"
    chmod 777 "$WORK/way/a"
    refuses "$WORK/way/a, on the way to" --runtime-dir "$WORK/way/link2/run" "$place"
    # As in /tmp: nobody can move what is root's.
    chmod 1777 "$WORK/way/a"
    chown -h 1234 "$WORK/way/link2"
    refuses "$WORK/way/link2, on the way to" --runtime-dir "$WORK/way/link2/run" "$place"

    # What is there from a time when others could write.
    local file
    for file in control.sock seccomp.sock counters.2 kept.json lxcfsd.pid containers/x.json; do
        mkdir -p "$run/containers"
        touch "$run/$file"
        chown 1234 "$run/$file"
        refuses "$run/$file belongs to user 1234" "${start[@]}"
        chown 0 "$run/$file"
        chmod 666 "$run/$file"
        refuses "$run/$file may be written by others" "${start[@]}"
        rm "$run/$file"
    done
    chown 1234 "$run/containers"
    refuses "$run/containers belongs to user 1234" "${start[@]}"
    rm -r "$run"

    # A way through a sticky directory is one.
    mkdir "$WORK/way/a/run"
    rm "$WORK/way/link2"
    ln -s a "$WORK/way/link2"
    start_with 'exec "$@"' --runtime-dir "$WORK/way/link2/run"
    stop_daemon
    rm -r "$WORK/way"
}

@test "an upgrade goes on with a runtime directory that an earlier daemon has accepted" {
    # A keeper is only replaced by another program.
    cp "$LXCFSD" "$WORK/lxcfsd"
    local LXCFSD=$WORK/lxcfsd
    start_daemon
    start kept
    cp "$LXCFSD" "$WORK/lxcfsd.new"
    mv "$WORK/lxcfsd.new" "$LXCFSD"
    chown 1234 "$WORK/run"
    local former
    former=$(worker_pid)
    kill -HUP "$(daemon_pid)"
    wait_for 5 is_gone "$former"
    wait_for 5 grep -q "belongs to user 1234" "$WORK/lxcfsd.log"
    wait_for 5 total_is kept 65536
    is_running "$(daemon_pid)"
    chown 0 "$WORK/run"
}

@test "signals that come together are all heard" {
    start_daemon
    start signals
    local keeper former i
    keeper=$(daemon_pid)
    for i in 1 2 3; do
        former=$(worker_pid)
        kill -STOP "$keeper"
        # Two children's ends are one SIGCHLD; two of each are one.
        kill -USR2 "$keeper"
        kill -USR2 "$keeper"
        kill -HUP "$keeper"
        kill -HUP "$keeper"
        kill -USR1 "$keeper"
        kill -KILL "$former"
        kill -CONT "$keeper"
        wait_for 5 is_gone "$former"
        wait_for 10 grep -q "containers are shown the host" "$WORK/lxcfsd.log"
        kill -USR2 "$keeper"
        wait_for 10 total_is signals 65536
        [[ $(daemon_pid) == "$keeper" ]]
        is_running "$keeper"
    done
    # Also two workers that end while nobody looks.
    kill -HUP "$keeper"
    sleep 0.002
    kill -STOP "$keeper"
    local pid
    for pid in $(cat "/proc/$keeper/task/"*/children); do kill -KILL "$pid"; done
    kill -CONT "$keeper"
    wait_for 10 total_is signals 65536
    # What comes beside SIGTERM does not keep it from ending.
    kill -STOP "$keeper"
    kill -KILL "$(worker_pid)"
    kill -HUP "$keeper"
    kill -USR2 "$keeper"
    kill -TERM "$keeper"
    kill -CONT "$keeper"
    wait_for 10 is_gone "$keeper"
    ! mountpoint -q "$WORK/lxcfs"
}

@test "limits of whoever starts the daemon do not become its own" {
    local limit
    for limit in "f 0" "f 8" "s 64" "v 2000000" "d 100000" "n 64" "l 0" "u 1" "c unlimited"; do
        echo "--- ulimit -S$limit"
        start_with "ulimit -S$limit; exec \"\$@\""
        start "limited"
        replace_worker
        total_is limited 65536
        [[ $(ask list --json | jq length) == 1 ]]
        cleanup_containers
        stop_daemon
        ! grep error "$WORK/lxcfsd.log" | grep -v "killed by signal 9" ||
            fail "$(cat "$WORK/lxcfsd.log")"
    done
    # What cannot be raised is named, and so is what fails for it.
    run -1 setpriv --bounding-set -sys_resource --inh-caps -sys_resource \
        bash -c 'ulimit -f 8; exec "$@"' bash "$LXCFSD" --runtime-dir "$WORK/run" "$WORK/lxcfs"
    [[ $output == *"the limit on size of a file (ulimit -f) stays at 8192"* &&
        $output == *"File too large"* ]] || fail "$output"
}

@test "umask: neither too open nor too closed" {
    local mask
    for mask in 0 0777; do
        start_with "umask $mask; exec \"\$@\""
        start umasked
        replace_worker
        total_is umasked 65536
        [[ $(stat -c %a "$WORK/run") == 755 && $(stat -c %a "$WORK/run/containers") == 700 ]]
        [[ $(stat -c %a "$WORK/run/containers/umasked.json") == 600 ]]
        [[ $(stat -c %a "$WORK"/run/counters.2) == 600 ]]
        cleanup_containers
        stop_daemon
        rm -rf "$WORK/run"
    done
}

# cuts_limit SIZE: no process of the daemon may write more than SIZE bytes into a file.
cuts_limit() {
    local pid
    for pid in "$(daemon_pid)" "$(worker_pid)"; do prlimit --pid "$pid" --fsize="$1"; done
}

@test "files that may not grow: nothing dies, and containers are served" {
    start_daemon
    start before
    cuts_limit 0:unlimited
    local worker
    worker=$(worker_pid)
    make_bundle after -m $((64 << 20)) sleep 1000
    start_container "${RUNTIMES[0]}" after
    total_is after 65536
    kill -USR2 "$(daemon_pid)"
    kill -USR2 "$(daemon_pid)"
    total_is before 65536
    [[ $(worker_pid) == "$worker" ]]
    is_running "$(daemon_pid)"
}

@test "a log that nobody reads, or that is full or closed, holds up nobody" {
    local kind
    mkfifo "$WORK/fifo"
    for kind in full closed device; do
        echo "--- $kind"
        case $kind in
        full)
            exec 7<>"$WORK/fifo"
            dd if=/dev/zero of=/dev/fd/7 bs=4096 oflag=nonblock count=16 2>/dev/null || true
            ;;
        closed) sleep 1000 <"$WORK/fifo" 3>&- & ;;
        device) exec 7>/dev/full ;;
        esac
        if [[ $kind == closed ]]; then
            exec 7>"$WORK/fifo"
            kill $!
            wait $! || true
        fi
        start_with 'exec "$@" 2>&7 >&7 7>&-' -d
        exec 7>&-
        start unread
        # Much to say: every container, worker and listing.
        local i
        for i in $(seq 50); do ask list >/dev/null; done
        replace_worker
        total_is unread 65536
        cleanup_containers
        stop_daemon
    done
    rm "$WORK/fifo"
}

@test "without /dev/fuse the daemon says so, and starts later" {
    mkdir -p "$WORK/lxcfs"
    run -1 unshare -m --propagation private sh -c '
        mount -t tmpfs tmpfs /dev && : >/dev/null && exec "$@"' sh \
        "$LXCFSD" --runtime-dir "$WORK/run" "$WORK/lxcfs"
    [[ $output == *"cannot open /dev/fuse: No such file or directory"* ]] || fail "$output"
    start_daemon
}

@test "/proc that hides processes or files: what it hides is not needed" {
    local options
    for options in hidepid=2 subset=pid; do
        echo "--- $options"
        # The daemon's own alone: what it mounts elsewhere arrives here.
        start_with 'options='"$options"'; exec unshare -m --propagation unchanged bash -c "
            mount --make-private /proc && mount -t proc -o $options proc /proc &&
            exec \"\$@\"" bash "$@"'
        start hidden
        replace_worker
        total_is hidden 65536
        cleanup_containers
        stop_daemon
    done
}

@test "limits of whoever starts the hook do not become its own" {
    local limit pid
    start_daemon
    make_bundle "limited" -n -m $((64 << 20)) sleep 1000
    start_container "${RUNTIMES[0]}" limited
    pid=$(container_pid limited)
    for limit in "n 12" "n 24" "f 0" "u 1" "s 128" "l 0"; do
        echo "--- ulimit -S$limit"
        run -0 bash -c "ulimit -S$limit; exec \"\$@\"" bash "$LXCFS_HOOK" attach "$pid" \
            --runtime-dir "$WORK/run" --no-syslog
        total_is limited 65536
        "$LXCFS_HOOK" detach "$pid" --runtime-dir "$WORK/run" --no-syslog
    done
}

@test "what a hook is to read or write and cannot is an error" {
    start_daemon
    make_bundle streams
    run bash -c "exec $LXCFS_HOOK precreate --no-syslog --runtime-dir $WORK/run >&- \
        <$(bundle_of streams)/config.json"
    [[ $status == 1 && $output == *"config.json to stdout: Bad file descriptor"* ]] ||
        fail "$status: $output"
    run bash -c "exec $LXCFS_HOOK precreate --no-syslog --runtime-dir $WORK/run <&-"
    [[ $status == 3 && $output == *"Bad file descriptor"* ]] || fail "$status: $output"
    run bash -c "exec $LXCFS_HOOK createRuntime --required --no-syslog --runtime-dir $WORK/run <&-"
    [[ $status == 3 && $output == *"Bad file descriptor"* ]] || fail "$status: $output"
}

@test "a runtime directory that is moved away, emptied or read-only while the daemon runs" {
    start_daemon
    start stays
    # As long as it is away, what was registered is not known to the next worker.
    mv "$WORK/run/containers" "$WORK/containers"
    replace_worker
    mv "$WORK/containers/"* "$WORK/run/containers"
    replace_worker
    total_is stays 65536
    [[ $(ask list --json | jq length) == 1 ]]
    # The mount in it stays where it is.
    rm -rf "$WORK/run/containers" "$WORK"/run/counters.* "$WORK"/run/kept.json
    replace_worker
    is_running "$(daemon_pid)"
    start new
    total_is new 65536
    replace_worker
    total_is new 65536
    # Read-only, for whoever comes now.
    mount --bind "$WORK/run" "$WORK/run"
    mount -o remount,bind,ro "$WORK/run"
    replace_worker
    total_is new 65536
    umount -l "$WORK/run"
    replace_worker
    total_is new 65536
}
