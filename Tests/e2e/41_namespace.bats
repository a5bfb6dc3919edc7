# A daemon that a service manager has given a mount namespace of its own (ProtectHome=,
# PrivateDevices= and so on): its mounts are the host's all the same, where it is told so.
#
# Process 1 is "the host" here. So that this is not the machine's, it is in a pid namespace of its own.

load helpers

setup() {
    needs_binaries
    mkdir -p "$WORK/lxcfs" "$WORK/secret"
    : >"$WORK/secret/file"
    cp "$LXCFSD" "$WORK/lxcfsd"
    mkfifo "$WORK/orders" "$WORK/answers"
    # shellcheck disable=SC2016 # is expanded there
    WORK=$WORK unshare --pid --fork --kill-child --mount --propagation private --mount-proc bash -c '
        mount --make-rshared /
        echo ready
        while read -r order; do
            status=0
            eval "$order" >"$WORK/output" 2>&1 || status=$?
            echo "$status"
        done' <"$WORK/orders" >"$WORK/answers" 3>&- &
    HOST=$!
    # shellcheck disable=SC1083 # numbers that bash chooses
    exec {ORDERS}>"$WORK/orders" {ANSWERS}<"$WORK/answers"
    [[ $(answer) == ready ]]
}

teardown() {
    kill -KILL "$HOST" 2>/dev/null || true
    wait "$HOST" 2>/dev/null || true
    exec {ORDERS}>&- {ANSWERS}<&-
    rm -rf "$WORK"/{run,lxcfs,secret,orders,answers,output,lxcfsd,lxcfsd.log}
}

answer() {
    local line
    read -r -t 30 -u "$ANSWERS" line
    echo "$line"
}

# host COMMAND: has process 1 do it; what it says is in $output.
host() {
    echo "${*//$'\n'/ }" >&"$ORDERS"
    local status
    status=$(answer)
    output=$(cat "$WORK/output")
    return "$status"
}

# serve [NAME=VALUE...]: a daemon in a namespace as systemd makes one, in which something is hidden.
serve() {
    host "unshare --mount --propagation slave sh -c 'mount -t tmpfs hidden $WORK/secret &&
        exec env $* $WORK/lxcfsd --runtime-dir $WORK/run $WORK/lxcfs' >>$WORK/lxcfsd.log 2>&1 </dev/null &
        KEEPER=\$!"
}

log_says() { grep -q "$1" "$WORK/lxcfsd.log"; }
has_taken_over() { (($(grep -c "taking over the connections" "$WORK/lxcfsd.log") == $1)); }
answers() { host "cat $WORK/lxcfs/proc/uptime"; }

# process WHICH: as process 1 numbers it.
process() {
    case $1 in
    keeper) host "echo \$KEEPER" ;;
    worker) host "pgrep -P \$KEEPER -x lxcfsd" ;;
    holder) host "pgrep -P \$KEEPER -x lxcfsd-holder" ;;
    esac
    echo "$output"
}

is_inside() {
    local pid
    pid=$(process "$1")
    host "readlink /proc/$pid/ns/mnt"
    local theirs=$output
    host "readlink /proc/1/ns/mnt"
    [[ $theirs == mnt:* && $theirs != "$output" ]]
    ! host "test -e /proc/$pid/root$WORK/secret/file"
}

stops() {
    host "kill -TERM \$KEEPER; wait \$KEEPER" || { cat "$WORK/lxcfsd.log"; return 1; }
    ! host "grep -F $WORK/lxcfs /proc/1/mountinfo" || fail "$output"
    ! host "grep -F $WORK/run /proc/1/mountinfo" || fail "$output"
    [[ ! -e $WORK/run ]]
}

@test "its mounts are the host's, and it stays where it was started" {
    serve LXCFSD_HOST_MOUNTS=1
    wait_for 10 answers
    host "stat -f -c %T $WORK/lxcfs $WORK/run/tree/.opens/proc"
    [[ $output == $'fuseblk\nfuseblk' || $output == $'fuse\nfuse' ]] || fail "$output"
    local which
    for which in keeper worker holder; do is_inside "$which"; done
    # What is mounted later in the host is seen by both.
    host "mount -t tmpfs later $WORK/secret"
    answers
    stops
}

@test "an upgrade stays there, too, and can unmount" {
    serve LXCFSD_HOST_MOUNTS=1
    wait_for 10 answers
    local i
    for i in 1 2 3; do
        # Another file, or the keeper has no need to execute it.
        cp "$LXCFSD" "$WORK/new"
        mv "$WORK/new" "$WORK/lxcfsd"
        host "kill -HUP \$KEEPER"
        wait_for 10 has_taken_over "$i"
        answers
        is_inside keeper
    done
    host "kill -KILL $(process worker)"
    wait_for 10 answers
    is_inside worker
    stops
}

@test "one that was killed: the next one finds the host's mountpoint free" {
    serve LXCFSD_HOST_MOUNTS=1
    wait_for 10 answers
    host "kill -KILL \$KEEPER; wait \$KEEPER" || true
    ! answers || fail "$output"
    serve LXCFSD_HOST_MOUNTS=1
    wait_for 10 answers
    log_says "whose daemon is gone"
    stops
}

@test "an earlier release, to which it goes back there, serves; the next one clears up after it" {
    local old programs=("$REPO"/.build/releases/*/lxcfsd)
    [[ -x ${programs[0]} ]] || skip "no earlier release is built"
    for old in "${programs[@]}"; do
        serve LXCFSD_HOST_MOUNTS=1
        wait_for 10 answers
        cp "$old" "$WORK/new"
        mv "$WORK/new" "$WORK/lxcfsd"
        host "kill -HUP \$KEEPER"
        wait_for 20 host "cmp /proc/\$KEEPER/exe $old"
        answers
        is_inside keeper
        host "kill -KILL $(process worker)"
        wait_for 10 answers
        # It knows nothing of other namespaces than its own.
        host "kill -TERM \$KEEPER; wait \$KEEPER"
        ! answers || fail "$output"
        cp "$LXCFSD" "$WORK/lxcfsd"
        serve LXCFSD_HOST_MOUNTS=1
        wait_for 10 answers
        stops
    done
}

@test "nobody is moved without being told" {
    serve UNRELATED=1
    wait_for 10 log_says "serving $WORK/lxcfs"
    ! host "grep -F $WORK/lxcfs /proc/1/mountinfo" || fail "$output"
    host "cat /proc/\$KEEPER/root$WORK/lxcfs/proc/uptime"
    stops
}

@test "told so where it is the host's namespace already: as ever" {
    host "env LXCFSD_HOST_MOUNTS=1 $LXCFSD --runtime-dir $WORK/run $WORK/lxcfs \
        >>$WORK/lxcfsd.log 2>&1 </dev/null & KEEPER=\$!"
    wait_for 10 answers
    stops
}

# shellcheck disable=SC2030,SC2031 # each test has its own
@test "no other namespace can be entered, and without being told none" {
    local inject=$REPO/.build/programs/inject call told
    [[ -x $inject ]] || skip "needs a C compiler"
    injected() { host "$inject \$KEEPER $*" || true; }
    serve LXCFSD_HOST_MOUNTS=1
    wait_for 10 answers
    injected setns -1 0x20000
    [[ $output == EBADF ]] || fail "$output"
    stops
    # 0: of any kind; of several kinds at once, of a process; then some that are not of mounts.
    for told in LXCFSD_HOST_MOUNTS=1 UNRELATED=1; do
        # Of the one before.
        rm "$WORK/lxcfsd.log"
        for call in "setns -1 0" "setns -1 0x20020000" "setns -1 0x40000000" \
            "setns -1 0x10000000" "unshare 0x20000" "unshare 0x10000200"; do
            serve $told
            wait_for 10 log_says "serving $WORK/lxcfs"
            # shellcheck disable=SC2086 # words
            injected $call
            [[ $output == killed* ]] || fail "$told: $call: $output"
            host "wait \$KEEPER" || true
            rm "$WORK/lxcfsd.log"
        done
        : >"$WORK/lxcfsd.log"
    done
    serve UNRELATED=1
    wait_for 10 log_says "serving $WORK/lxcfs"
    injected setns -1 0x20000
    [[ $output == killed* ]] || fail "$output"
}

# is_refused COMMAND
is_refused() { if host "$1"; then fail "it ran" "$(cat "$WORK/output")"; fi; }

@test "what is missing is said" {
    local without
    for without in cap_sys_chroot cap_sys_admin cap_sys_ptrace; do
        is_refused "unshare --mount capsh --drop=$without -- -c \
            'LXCFSD_HOST_MOUNTS=1 exec $LXCFSD --runtime-dir $WORK/run $WORK/lxcfs'"
        [[ $output == *"LXCFSD_HOST_MOUNTS=1 needs"*"RestrictNamespaces=mnt"* ]] || fail "$output"
    done
    is_refused "LXCFSD_HOST_MOUNTS=yes $LXCFSD --runtime-dir $WORK/run $WORK/lxcfs"
    [[ $output == *'LXCFSD_HOST_MOUNTS is 1 or 0, not "yes"'* ]] || fail "$output"
}
