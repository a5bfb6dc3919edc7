# lxcfs-runtime in the place of runc and crun: by themselves, below docker and below containerd.
# shellcheck disable=SC2030,SC2031,SC2154 # `run` sets them, in a test and in its functions

load helpers

: "${LXCFS_RUNTIME:=$REPO/.build/release/lxcfs-runtime}"
export LXCFS_RUNTIME

setup_file() {
    [[ -x $LXCFS_RUNTIME ]] || skip "not built: $LXCFS_RUNTIME"
    start_daemon
    mkdir -p "$WORK/bin"
    ln -s "$LXCFS_RUNTIME" "$WORK/bin/lxcfs-runc"
    ln -s "$LXCFS_RUNTIME" "$WORK/bin/lxcfs-crun"
    ln -s "$LXCFS_RUNTIME" "$WORK/bin/lxcfs-runtime"
    write_recorder
    make_dev
}

teardown_file() {
    stop_dockerd
    stop_containerd
    [[ ! -e $WORK/syslog.pid ]] || stop_process "$(cat "$WORK/syslog.pid")"
    stop_daemon
}

setup() { configure '{}'; }

teardown() {
    # Their state is the runtime's, whose name is another one.
    local state runtime
    for runtime in runc crun; do
        for state in "$WORK/runtime-state/$WORK/bin/lxcfs-$runtime"/*/; do
            [[ -d $state ]] || continue
            in_runtime_ns $runtime $runtime --root "${state%/*/}" delete --force \
                "$(basename "$state")" 3>&- || true
        done
    done
    cleanup_containers
}

# configure JSON: the runtime's configuration, with the hook and the daemon of this test.
configure() {
    export LXCFS_RUNTIME_CONFIG=$WORK/runtime.json
    jq --arg hook "$LXCFS_HOOK" --arg run "$WORK/run" '
        {hook: $hook} + . | .options = ["--runtime-dir", $run] + (.options // [])' \
        <<<"$1" >"$LXCFS_RUNTIME_CONFIG"
}

# ours RUNTIME: lxcfs-runtime under the name for RUNTIME.
ours() { echo "$WORK/bin/lxcfs-$1"; }

# for_podman RUNTIME: the same for an engine that clears the environment.
for_podman() {
    printf '#!/bin/sh\nLXCFS_RUNTIME_CONFIG=%s exec %s "$@"\n' "$LXCFS_RUNTIME_CONFIG" \
        "$(ours "$1")" >"$WORK/bin/podman-$1"
    chmod +x "$WORK/bin/podman-$1"
    echo "$WORK/bin/podman-$1"
}

# A runtime that tells with what it was started.
write_recorder() {
    mkdir -p "$WORK/fake"
    cat >"$WORK/fake/runc" <<SCRIPT
#!/bin/bash
# First, and by the shell alone, which has pipes open later. Its own (the directory, 255) are in both.
descriptors=(/proc/\$\$/fd/*)
printf '%s\0' "\$@" >"$WORK/fake/arguments"
tr '\0' '\n' <"/proc/\$\$/environ" | sort >"$WORK/fake/environment"
printf '%s\n' "\${descriptors[@]##*/}" >"$WORK/fake/descriptors"
grep -E '^Sig(Blk|Ign|Cgt)' /proc/\$\$/status >"$WORK/fake/signals"
exit 23
SCRIPT
    chmod +x "$WORK/fake/runc"
    ln -s runc "$WORK/fake/crun"
}

# make_dev: a directory for /dev whose log is written to $WORK/syslog.
make_dev() {
    local node
    mkdir -p "$WORK/dev/pts" "$WORK/dev/shm"
    for node in null zero full random urandom tty fuse; do
        [[ ! -e /dev/$node ]] || cp -a "/dev/$node" "$WORK/dev/$node"
    done
    : >"$WORK/syslog"
    python3 -c '
import socket, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(sys.argv[1])
with open(sys.argv[2], "ab", buffering=0) as lines:
    while True:
        lines.write(log.recv(65536) + b"\n")
' "$WORK/dev/log" "$WORK/syslog" </dev/null 3>&- &
    echo $! >"$WORK/syslog.pid"
    wait_for 30 test -S "$WORK/dev/log"
}

# logged RUNTIME WORD...: lxcfs-runtime where the system's log is $WORK/syslog, which begins empty.
logged() {
    : >"$WORK/syslog"
    # shellcheck disable=SC2016 # sh expands it
    in_runtime_ns "$1" unshare --mount --propagation slave \
        sh -c 'mount --bind "$0/dev" /dev && exec "$@"' "$WORK" "$(ours "$1")" \
        --root "$WORK/runtime-state/$1" "${@:2}" </dev/null 3>&-
}

log_has() { grep -qF -- "$1" "$WORK/syslog"; }

# in_log TEXT: the message arrives.
in_log() { wait_for 20 log_has "$1" || fail "not in the log: $1" "$(cat "$WORK/syslog")"; }

LOOK='head -n 1 /proc/meminfo; grep -c ^processor /proc/cpuinfo
    cat /sys/devices/system/cpu/online /proc/uptime; free -m | sed -n 2p'
HOST_TOTAL=$(head -n 1 /proc/meminfo)

# sees_itself: of a container with 256 MiB and one CPU; busybox's free asks sysinfo(2).
sees_itself() {
    [[ ${lines[0]} == MemTotal:*262144\ kB ]] || fail "$output"
    [[ ${lines[1]} == 1 && ${lines[2]} == 0 ]] || fail "$output"
    [[ ${lines[3]} =~ ^[0-9]\.[0-9]+\  ]] || fail "$output"
    [[ ${lines[4]} =~ ^Mem:\ +256\  ]] || fail "$output"
}

sees_the_host() { [[ ${lines[0]} == "$HOST_TOTAL" ]] || fail "$output"; }

config_of() { echo "$(bundle_of "$1")/config.json"; }

has_one_hook() {
    jq -e '[.hooks.createRuntime, .hooks.poststop] | map(length) == [1, 1]' "$(config_of "$1")"
}

# --- The other commands, and what is handed on. ---

compare_commands() {
    local command real
    real=$(command -v "$1")
    while read -r command; do
        # shellcheck disable=SC2086 # words
        in_runtime_ns "$1" "$1" $command >"$WORK/a.out" 2>"$WORK/a.err" </dev/null 3>&- &&
            echo 0 >"$WORK/a.code" || echo $? >"$WORK/a.code"
        # shellcheck disable=SC2086
        in_runtime_ns "$1" "$(ours "$1")" $command >"$WORK/b.out" 2>"$WORK/b.err" </dev/null \
            3>&- && echo 0 >"$WORK/b.code" || echo $? >"$WORK/b.code"
        sed -i -E 's/time="[^"]*"//; s/^[0-9]{4}-[0-9T:.-]+Z?//' "$WORK"/[ab].err
        cmp "$WORK/a.out" "$WORK/b.out" || fail "$real $command"
        cmp "$WORK/a.err" "$WORK/b.err" || fail "$real $command"
        cmp "$WORK/a.code" "$WORK/b.code" || fail "$real $command"
    done <<<"
        --version
        --help
        list
        --root $WORK/none list
        state nobody
        kill nobody
        delete nobody
        delete --force nobody
        features
        ps nobody
        events nobody
        spec --nonsense
        create --help
        create
        run --bundle $WORK/nowhere nobody
        nonsense
        --nonsense list"
}

@test "other commands say and return what the runtime does" {
    for_each_runtime compare_commands
}

record() {
    rm -f "$WORK/fake"/{arguments,environment,descriptors,signals}
    run -23 env -i PATH="$WORK/fake:$PATH" LXCFS_RUNTIME_CONFIG="$LXCFS_RUNTIME_CONFIG" \
        A=$'b\xff\nc' "$@"
}

@test "arguments, environment, descriptors and signals are the caller's" {
    make_bundle same -n
    # Bytes that are no UTF-8 stay as they are.
    for program in "$WORK/fake/runc" "$(ours runc)"; do
        # shellcheck disable=SC2016
        record bash -c 'trap "" HUP USR1; exec 9</dev/null 7>/dev/null 4<&-; exec "$@"' bash \
            "$program" --root $'/x\xfe' create --bundle "$(bundle_of same)" $'id\xff' ''
        mkdir -p "$WORK/seen/${program##*/}"
        cp "$WORK/fake"/{arguments,environment,descriptors,signals} "$WORK/seen/${program##*/}"
    done
    diff -r "$WORK/seen/runc" "$WORK/seen/lxcfs-runc"
    has_one_hook same
}

# names_bundle DIRECTORY RUNTIME WORD...: with these words, the bundle's config.json is edited.
names_bundle() {
    local config
    config=$(config_of ways)
    cp "$WORK/plain.json" "$config"
    (cd "$1" && record "$(ours "$2")" "${@:3}")
    has_one_hook ways || fail "$*"
}

# leaves_bundle DIRECTORY RUNTIME WORD...: with these it is not.
leaves_bundle() {
    local config
    config=$(config_of ways)
    cp "$WORK/plain.json" "$config"
    (cd "$1" && record "$(ours "$2")" "${@:3}")
    cmp "$WORK/plain.json" "$config" || fail "$*"
}

@test "the bundle is found however it is named" {
    make_bundle ways -n
    local bundle
    bundle=$(bundle_of ways)
    cp "$bundle/config.json" "$WORK/plain.json"
    for command in create run restore; do
        names_bundle / runc $command --bundle "$bundle" x
        names_bundle / runc $command --bundle="$bundle" x
        names_bundle / runc $command -bundle "$bundle" x
        names_bundle / runc $command -b "$bundle" x
        names_bundle / runc $command -b="$bundle" x
        names_bundle / runc $command x -b "$bundle"
        names_bundle "$bundle" runc $command x
        names_bundle "$bundle/rootfs" runc $command --bundle .. x
        names_bundle / crun $command -b"$bundle" x
        names_bundle / crun $command -b "$bundle" x
        names_bundle / crun $command --bund "$bundle" x
        names_bundle / crun $command -db"$bundle" x
    done
    names_bundle "$bundle" runc --debug --log create --log-format=json --root list run x
    names_bundle "$bundle" runc --systemd-cgroup -criu state --rootless auto create x
    names_bundle "$bundle" crun --cgroup-manager delete --log-lev debug create x
    names_bundle "$bundle" runc create --pid-file /x --preserve-fds 3 --console-socket -b x
    names_bundle "$bundle" runc --some-new-option value create x
    # A command that is a value, another one, help, and crun's file of another name.
    leaves_bundle "$bundle" runc --log create list
    leaves_bundle "$bundle" runc state create
    leaves_bundle "$bundle" runc exec x create
    leaves_bundle "$bundle" runc --version create x
    leaves_bundle "$bundle" runc create --help
    leaves_bundle "$bundle" crun create --config "$bundle/config.json" x
}

@test "the real runtime is found, and never lxcfs-runtime itself" {
    make_bundle loop -n
    record "$WORK/bin/lxcfs-runtime" list
    configure "{\"runtime\": \"$WORK/fake/runc\"}"
    run -23 env PATH=/nowhere "$(ours runc)" list
    configure '{}'
    mkdir -p "$WORK/self"
    ln -sf "$LXCFS_RUNTIME" "$WORK/self/runc"
    cp "$LXCFS_RUNTIME" "$WORK/self/crun"
    run -126 env PATH="$WORK/self" "$WORK/bin/lxcfs-runtime" list
    [[ $output == *"is lxcfs-runtime itself"* ]]
    run -23 env PATH="$WORK/self:$WORK/fake:$PATH" "$WORK/bin/lxcfs-runtime" list
    configure "{\"runtime\": \"$WORK/self/crun\"}"
    run -126 "$WORK/bin/lxcfs-runtime" list
    [[ $output == *"is lxcfs-runtime itself"* ]]
    configure '{"runtime": "/nowhere/runc"}'
    run -127 "$WORK/bin/lxcfs-runtime" --log "$WORK/log.json" --log-format json create x
    [[ $output == *"/nowhere/runc"* && $(jq -r .level "$WORK/log.json") == error ]]
    configure '{}'
    # A script that leads back here, as another program and as a child.
    mkdir -p "$WORK/script"
    for exec in exec ""; do
        printf '#!/bin/sh\n%s %s "$@"\n' "$exec" "$WORK/bin/lxcfs-runtime" \
            >"$WORK/script/runc"
        chmod +x "$WORK/script/runc"
        run -126 timeout 120 env PATH="$WORK/script" "$WORK/bin/lxcfs-runtime" list
        [[ $output == *"starts lxcfs-runtime again"* ]]
    done
    run -127 env PATH="relative:.::" "$WORK/bin/lxcfs-runtime" list
}

# --- Containers. ---

served() {
    local runtime config
    runtime=$(ours "$1")
    make_bundle all -n -m $((256 << 20)) -q 100000 "$LOOK"
    config=$(config_of all)
    cp "$config" "$WORK/plain.json"
    run -0 --separate-stderr run_container "$runtime" all
    sees_itself
    # For all that it adds, nothing else is changed.
    jq 'del(.hooks, .linux.seccomp)' "$config" >"$WORK/rest.json"
    jq . "$WORK/plain.json" | cmp - "$WORK/rest.json"
    has_one_hook all
    # A second container of the bundle finds all in its place.
    cp -p "$config" "$WORK/first.json"
    local inode
    inode=$(stat -c %i "$config")
    run -0 --separate-stderr run_container "$runtime" all
    sees_itself
    [[ $(stat -c %i "$config") == "$inode" ]]
    cmp "$config" "$WORK/first.json"
}

@test "containers see themselves, and config.json has each addition once" {
    for_each_runtime served
}

lives() {
    local runtime
    runtime=$(ours "$1")
    make_bundle lives -n -m $((256 << 20)) -q 100000
    start_container "$runtime" lives
    run -0 --separate-stderr exec_container "$runtime" lives sh -c "$LOOK"
    sees_itself
    runtime_cmd "$runtime" state lives | jq -e '.status == "running"'
    delete_container "$runtime" lives
    wait_for 5 nothing_served
}

nothing_served() { [[ $("$LXCFSD" list --json --runtime-dir "$WORK/run") == "[]" ]]; }

@test "exec, state and delete" {
    for_each_runtime lives
}

chosen() {
    local runtime
    runtime=$(ours "$1")
    make_bundle chosen -n -m $((256 << 20)) -q 100000 "$LOOK"
    cp "$(config_of chosen)" "$WORK/plain.json"
    set_config chosen '.annotations["io.lxcfs-hook.enable"] = "false"'
    cp "$(config_of chosen)" "$WORK/off.json"
    run -0 --separate-stderr run_container "$runtime" chosen
    sees_the_host
    cmp "$WORK/off.json" "$(config_of chosen)"
    configure '{"containers": "annotated"}'
    cp "$WORK/plain.json" "$(config_of chosen)"
    run -0 --separate-stderr run_container "$runtime" chosen
    sees_the_host
    cmp "$WORK/plain.json" "$(config_of chosen)"
    set_config chosen '.annotations["io.lxcfs-hook.enable"] = "true"'
    run -0 --separate-stderr run_container "$runtime" chosen
    sees_itself
    configure '{}'
    # Privileged.
    cp "$WORK/plain.json" "$(config_of chosen)"
    set_config chosen 'del(.linux.maskedPaths, .linux.readonlyPaths)'
    cp "$(config_of chosen)" "$WORK/off.json"
    run -0 --separate-stderr run_container "$runtime" chosen
    sees_the_host
    cmp "$WORK/off.json" "$(config_of chosen)"
}

@test "annotations, configuration and privileges decide" {
    for_each_runtime chosen
}

without_daemon() {
    local runtime
    runtime=$(ours "$1")
    make_bundle away -n -m $((256 << 20)) -q 100000 "$LOOK"
    configure "{\"options\": [\"--runtime-dir\", \"$WORK/nowhere\"]}"
    run -0 --separate-stderr logged "$1" run -b "$(bundle_of away)" away
    sees_the_host
    in_log "cannot connect to $WORK/nowhere/control.sock"
    [[ $(jq .linux.seccomp "$(config_of away)") == null ]]
    # The same bundle once with the daemon, then without: its agent is taken out again.
    configure '{}'
    make_bundle gone -n -m $((256 << 20)) -q 100000 "$LOOK"
    run -0 --separate-stderr run_container "$runtime" gone
    sees_itself
    jq -e .linux.seccomp.listenerPath "$(config_of gone)"
    mv "$WORK/run/control.sock" "$WORK/run/control.away"
    run --separate-stderr run_container "$runtime" gone
    mv "$WORK/run/control.away" "$WORK/run/control.sock"
    [[ $status == 0 ]] || fail "$stderr"
    sees_the_host
    [[ $(jq .linux.seccomp.listenerPath "$(config_of gone)") == null ]]
    run -0 --separate-stderr run_container "$runtime" gone
    sees_itself
}

# runtime_command RUNTIME WORD...: as runtime_cmd, where functions are not known.
runtime_command() { runtime_cmd "$(ours "$1")" "${@:2}"; }

@test "without the daemon containers start and see the host" {
    for_each_runtime without_daemon
}

# required RUNTIME: says why in the file that engines read.
required() {
    make_bundle must -n true
    configure "{\"required\": true, \"options\": [\"--runtime-dir\", \"$WORK/nowhere\"]}"
    cp "$(config_of must)" "$WORK/plain.json"
    rm -f "$WORK/log.json"
    run -1 runtime_command "$1" --log "$WORK/log.json" --log-format json run \
        -b "$(bundle_of must)" must
    [[ $output == "lxcfs-runtime: "*"$WORK/nowhere/control.sock"* ]] || fail "$output"
    [[ $(jq -r .level "$WORK/log.json") == error &&
        $(jq -r .msg "$WORK/log.json") == "$output" ]] || fail "$(cat "$WORK/log.json")"
    cmp "$WORK/plain.json" "$(config_of must)"
    echo '{"required": true}' >"$WORK/policy.json"
    configure "{\"options\": [\"--policy\", \"$WORK/policy.json\",
        \"--runtime-dir\", \"$WORK/nowhere\"]}"
    run -1 runtime_command "$1" run -b "$(bundle_of must)" must
    # As with the hook: it is not known what it requires.
    echo '{' >"$WORK/policy.json"
    configure "{\"options\": [\"--policy\", \"$WORK/policy.json\"]}"
    run -1 runtime_command "$1" run -b "$(bundle_of must)" must
    [[ $output == *"policy.json"* ]] || fail "$output"
    cmp "$WORK/plain.json" "$(config_of must)"
}

@test "required: the container does not start, and the engine learns why" {
    for_each_runtime required
}

# --- Input that is none. ---

# as_without RUNTIME NAME MESSAGE: the runtime says and returns what it does by itself; the log says
# why nothing has been changed.
as_without() {
    local code
    run runtime_cmd "$1" run --bundle "$(bundle_of "$2")" "$2"
    code=$status
    printf '%s\n' "$output" | sed -E 's/time="[^"]*"//; s/^[0-9]{4}-[^ ]*Z:? ?//' >"$WORK/a"
    run logged "$1" run --bundle "$(bundle_of "$2")" "$2"
    [[ $status == "$code" ]] || fail "$status and not $code: $output"
    printf '%s\n' "$output" | sed -E 's/time="[^"]*"//; s/^[0-9]{4}-[^ ]*Z:? ?//' |
        diff "$WORK/a" - || fail "$1: $2"
    in_log "$3"
}

bad_input() {
    local config
    make_bundle bad -n true
    config=$(config_of bad)
    cp "$config" "$WORK/plain.json"

    head -c 500 "$WORK/plain.json" >"$config"
    as_without "$1" bad "unexpected end of input"
    : >"$config"
    as_without "$1" bad "config.json: empty"
    rm "$config"
    as_without "$1" bad "No such file"
    ln -s "$WORK/plain.json" "$config"
    as_without "$1" bad "symbolic link"
    [[ -L $config && $(jq .hooks "$WORK/plain.json") == null ]]
    rm "$config"
    mkdir "$config"
    as_without "$1" bad "not a regular file"
    rmdir "$config"
    sed '1s/{/{"annotations": {"a": "b"}, "annotations": {},/' "$WORK/plain.json" >"$config"
    as_without "$1" bad "duplicate key"
    { cat "$WORK/plain.json" && head -c $((17 << 20)) /dev/zero | tr '\0' ' '; } >"$config"
    as_without "$1" bad "more than"
    jq '.hooks = {createRuntime: 5}' "$WORK/plain.json" >"$config"
    as_without "$1" bad "hooks.createRuntime"
    cp "$WORK/plain.json" "$config"
    mount --bind "$(bundle_of bad)" "$(bundle_of bad)"
    mount -o remount,bind,ro "$(bundle_of bad)"
    as_without "$1" bad "Read-only file system"
    umount "$(bundle_of bad)"
    configure '{"hook": "/nowhere/lxcfs-hook"}'
    as_without "$1" bad "/nowhere/lxcfs-hook"
    configure '{"nonsense": true}'
    as_without "$1" bad "no such setting"
    echo '{' >"$LXCFS_RUNTIME_CONFIG"
    as_without "$1" bad "runtime.json"
    configure '{}'
    chmod o+w "$LXCFS_RUNTIME_CONFIG"
    as_without "$1" bad "others than root can write it"
    chmod o-w "$LXCFS_RUNTIME_CONFIG"
    cmp "$WORK/plain.json" "$config"
    [[ -z $(find "$(bundle_of bad)" -maxdepth 1 -name '.config*') ]]
}

@test "config.json and configuration that make no sense: as without lxcfs-runtime" {
    for_each_runtime bad_input
}

# A reader that waits for a writer would never end.
@test "a FIFO for config.json is left to the runtime" {
    make_bundle fifo -n
    rm "$(config_of fifo)"
    mkfifo "$(config_of fifo)"
    record timeout 5 "$(ours runc)" run -b "$(bundle_of fifo)" fifo
}

@test "owner and mode of config.json stay, and all that is in it" {
    make_bundle keep -n
    local config
    config=$(config_of keep)
    # Numbers, escapes, order and unknown fields that a decoder would not keep.
    jq -c . "$config" | sed 's/^{/{"x":[1.0,1e300,0.10,123456789012345678901234567890,"\\u00e4\\\/"],/' \
        >"$config.new" && mv "$config.new" "$config"
    cp "$config" "$WORK/plain.json"
    chown 1234:4321 "$config"
    chmod 0640 "$config"
    record "$(ours runc)" create -b "$(bundle_of keep)" x
    [[ $(stat -c %u:%g:%a "$config") == 1234:4321:640 ]]
    has_one_hook keep
    # Taking out what was added gives back the bytes.
    python3 - "$config" "$WORK/plain.json" <<'PYTHON'
import re, sys
new, old = (open(name).read() for name in sys.argv[1:])
new = re.sub(r',"seccomp":\{.*?"syscalls":\[.*?\]\}(?=\})', "", new)
new = re.sub(r',"hooks":\{.*\}(?=\}\s*$)', "", new)
sys.exit(new.strip() != old.strip() and f"{new}\n{old}")
PYTHON
}

# A daemon that has stopped answering does not hold up containers.
@test "a daemon that hangs: the container starts" {
    make_bundle slow -n true
    python3 -c '
import socket, sys, time
sock = socket.socket(socket.AF_UNIX); sock.bind(sys.argv[1]); sock.listen(8); time.sleep(60)
' "$WORK/hangs.sock" </dev/null 3>&- &
    local server=$!
    mkdir -p "$WORK/hangs"
    wait_for 30 test -S "$WORK/hangs.sock"
    mv "$WORK/hangs.sock" "$WORK/hangs/control.sock"
    configure "{\"options\": [\"--runtime-dir\", \"$WORK/hangs\", \"--timeout\", \"0.5\"]}"
    local start=$SECONDS
    record "$(ours runc)" create -b "$(bundle_of slow)" slow
    configure "{\"required\": true,
        \"options\": [\"--runtime-dir\", \"$WORK/hangs\", \"--timeout\", \"0.5\"]}"
    run -1 "$(ours runc)" create -b "$(bundle_of slow)" slow
    [[ $output == *"not done in time"* ]]
    # A fault of lxcfs-runtime, too.
    configure "{\"options\": [\"--runtime-dir\", \"$WORK/hangs\"]}"
    rm -f "$WORK/fake/arguments"
    PATH=$WORK/fake:$PATH "$(ours runc)" create -b "$(bundle_of slow)" slow 3>&- &
    local creating=$! status=0
    sleep 0.5
    kill -SEGV $creating
    wait $creating || status=$?
    [[ $status == 23 ]] || fail "$status"
    [[ -e $WORK/fake/arguments ]]
    kill $server
    ((SECONDS - start < 60))
    [[ -z $(find "$(bundle_of slow)" -maxdepth 1 -name '.config*') ]]
}

# --- Engines. ---

@test "docker: as a runtime and as the default one" {
    needs_command dockerd
    needs_command runc
    start_dockerd --add-runtime "lxcfs=$(ours runc)" --default-runtime lxcfs
    run -0 --separate-stderr docker_run --memory 256m --cpus 1 -- sh -c "$LOOK"
    sees_itself
    run -0 --separate-stderr docker_run --memory 256m --cpus 1 --runtime runc -- sh -c "$LOOK"
    sees_the_host
    # As --privileged leaves it, which not every machine lets containers be.
    run -0 --separate-stderr docker_run --memory 256m --security-opt systempaths=unconfined -- \
        sh -c "$LOOK"
    sees_the_host
    if docker_run --runtime runc --privileged -- true; then
        run -0 --separate-stderr docker_run --memory 256m --privileged -- sh -c "$LOOK"
        sees_the_host
    fi
    docker_cmd run -d --name one --network none --memory 256m --cpus 1 \
        --cgroup-parent "$E2E_CGROUP/deeper" "$IMAGE" sleep 1000
    run -0 --separate-stderr docker_cmd exec one sh -c "$LOOK"
    sees_itself
    docker_cmd restart -t 0 one
    run -0 --separate-stderr docker_cmd exec one sh -c "$LOOK"
    sees_itself
    docker_cmd update --memory 128m --memory-swap 256m one
    run -0 --separate-stderr docker_cmd exec one head -n 1 /proc/meminfo
    [[ ${lines[0]} == MemTotal:*131072\ kB ]] || fail "$output"
    docker_cmd rm -f one
    # The daemon has gone.
    mv "$WORK/run/control.sock" "$WORK/run/control.away"
    run --separate-stderr docker_run --memory 256m -- sh -c "$LOOK"
    mv "$WORK/run/control.away" "$WORK/run/control.sock"
    [[ $status == 0 ]] || fail "$stderr"
    sees_the_host
    # What the engine shows if it is required.
    configure "{\"required\": true, \"options\": [\"--runtime-dir\", \"$WORK/nowhere\"]}"
    run ! docker_run --memory 256m -- true
    [[ $output == *"$WORK/nowhere/control.sock"* ]] || fail "$output"
    stop_dockerd
}

# docker_with OPTION...: a docker daemon whose runtime is ours.
docker_with() { start_dockerd --add-runtime "lxcfs=$(ours runc)" --default-runtime lxcfs "$@"; }

@test "docker: build, and a daemon that is started anew while containers run" {
    needs_command dockerd
    needs_command runc
    docker_with --live-restore
    mkdir -p "$WORK/context"
    printf 'FROM %s\nRUN %s\n' "$IMAGE" "${LOOK//$'\n'/;}" >"$WORK/context/Dockerfile"
    run -0 env DOCKER_BUILDKIT=0 docker --config "$DOCKER_STATE" -H "unix://$DOCKER_STATE/sock" \
        build --network none -m 256m "$WORK/context"
    [[ $output == *"MemTotal:         262144 kB"* && $output =~ Mem:\ +256\  ]] || fail "$output"
    docker_cmd run -d --name stays --network none --memory 256m --cpus 1 "$IMAGE" sleep 1000
    stop_process "$(cat "$DOCKER_STATE/dockerd.pid")" 20
    rm -f "$DOCKER_STATE/sock"
    docker_with --live-restore
    run -0 --separate-stderr docker_cmd exec stays sh -c "$LOOK"
    sees_itself
    docker_cmd rm -f stays
    stop_dockerd
}

@test "docker: user namespaces" {
    needs_command dockerd
    needs_command runc
    local file
    for file in passwd group subuid subgid; do
        cp /etc/$file "$WORK/$file"
        mount --bind "$WORK/$file" /etc/$file
    done
    echo 'remapped:x:100000:100000::/:/bin/false' >>"$WORK/passwd"
    echo 'remapped:x:100000:' >>"$WORK/group"
    echo 'remapped:200000:65536' | tee -a "$WORK/subuid" >>"$WORK/subgid"
    # The remapped root has to get there.
    DOCKER_STATE=$(mktemp -d /run/docker.XXXXXX)
    chmod 0755 "$DOCKER_STATE"
    docker_with --userns-remap remapped
    run --separate-stderr docker_run --memory 256m --cpus 1 -- sh -c "$LOOK; cat /proc/self/uid_map"
    stop_dockerd
    for file in passwd group subuid subgid; do umount /etc/$file; done
    [[ $status == 0 ]] || fail "$stderr"
    sees_itself
    [[ ${lines[-1]} =~ ^\ +0\ +200000\  ]] || fail "$output"
}

start_containerd() {
    mkdir -p "$WORK/containerd"
    cat >"$WORK/containerd/config.toml" <<TOML
version = 2
root = "$WORK/containerd/root"
state = "$WORK/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$WORK/containerd/sock"
TOML
    containerd --config "$WORK/containerd/config.toml" >"$WORK/containerd/log" 2>&1 \
        </dev/null 3>&- &
    echo $! >"$WORK/containerd/pid"
    wait_for 20 test -S "$WORK/containerd/sock"
}

stop_containerd() {
    [[ ! -e $WORK/containerd/pid ]] || stop_process "$(cat "$WORK/containerd/pid")" 20
    rm -f "$WORK/containerd/pid"
}

ctr_run() {
    ctr --address "$WORK/containerd/sock" run --rm --snapshotter native \
        --runtime io.containerd.runc.v2 --runc-binary "$(ours runc)" --rootfs \
        --memory-limit $((256 << 20)) --cpus 1 --cgroup "$E2E_CGROUP/ctr" "$@" </dev/null 3>&-
}

@test "containerd: as the runtime's binary" {
    needs_command ctr
    needs_command containerd
    start_containerd
    cp -a "$IMAGE_ROOTFS" "$WORK/containerd/rootfs"
    run -0 --separate-stderr ctr_run "$WORK/containerd/rootfs" one /bin/sh -c "$LOOK"
    sees_itself
    run -0 --separate-stderr ctr_run --annotation io.lxcfs-hook.enable=false \
        "$WORK/containerd/rootfs" two /bin/sh -c "$LOOK"
    sees_the_host
    stop_containerd
}

@test "podman: with lxcfs-runtime and hook files together, each addition is there once" {
    needs_command podman
    add_podman_hook
    for runtime in "${RUNTIMES[@]}"; do
        run -0 --separate-stderr podman_run "$(for_podman "$runtime")" --memory 256m --cpus 1 -- \
            sh -c "$LOOK"
        sees_itself
    done
    rm -rf "$WORK/hooks.d"
    for runtime in "${RUNTIMES[@]}"; do
        run -0 --separate-stderr podman_run "$(for_podman "$runtime")" --memory 256m --cpus 1 -- \
            sh -c "$LOOK"
        sees_itself
        run -0 --separate-stderr podman_run "$(for_podman "$runtime")" --memory 256m \
            --annotation io.lxcfs-hook.enable=false -- sh -c "$LOOK"
        sees_the_host
    done
}
