# Bad input: an exit code and one clear line each, and the container starts unless it is required
# to be served.

load helpers

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }

BUNDLE() { mkdir -p "$WORK/$1" && echo "$WORK/$1"; }

# hook STAGE [OPTION...]: standard input is the test's.
hook() { "$LXCFS_HOOK" "$1" --runtime-dir "$WORK/run" --no-syslog "${@:2}"; }

state() {
    jq -nc --arg bundle "${2:-$WORK/bundle}" --argjson pid "${1:-$$}" \
        --arg status "${3:-creating}" '{ociVersion: "1.0.2", id: "bad", status: $status,
            pid: $pid, bundle: $bundle}'
}

# refuses CODE TEXT [STAGE] [OPTION...]: the hook, with $INPUT on stdin.
refuses() {
    local code=$1 text=$2
    shift 2
    run hook "${@:-createRuntime}" <<<"$INPUT"
    echo "$output"
    [[ $status == "$code" ]] || fail "exit code $status"
    [[ $(wc -l <<<"$output") == 1 ]] || fail "more than one line"
    [[ $output == *"$text"* ]] || fail "not about: $text"
}

# passes TEXT: what is not fatal by itself, but is with --required.
passes() {
    refuses 0 "$1"
    refuses 3 "$1" createRuntime --required
}

@test "the state is empty, cut off, no JSON, or no object" {
    INPUT="" passes "state: empty"
    INPUT='{"ociVersion": "1.0.2", "id": "x"' passes "state:"
    INPUT='hello' passes "state:"
    INPUT='[1, 2]' passes "state:"
}

@test "10 MB of JSON" {
    head -c 10000000 /dev/zero | tr '\0' ' ' >"$WORK/big"
    echo '{}' >>"$WORK/big"
    run hook createRuntime --required <"$WORK/big"
    [[ $status == 3 && $output == *"the state on stdin"*"too large"* ]] || fail "$output"
}

@test "fields of the state that make no sense" {
    good_bundle bundle
    INPUT=$(state $$ "$WORK" weird) passes 'status'
    INPUT=$(state 0) passes 'pid'
    INPUT=$(state -5) passes 'pid'
    INPUT=$(state 99999999) passes 'pid'
    INPUT=$(state '"x"') passes 'pid'
    INPUT=$(state $$ relative/bundle) passes 'bundle'
    INPUT='{"ociVersion":"1.0.2","id":"../x","status":"creating","pid":1,"bundle":"/"}' \
        passes 'id'
}

@test "bundle and config.json that are missing or unreadable" {
    INPUT=$(state $$ "$WORK/none") passes "bundle $WORK/none: there is no config.json"
    INPUT=$(state $$ "$(BUNDLE empty)") passes "bundle $WORK/empty: there is no config.json"
    INPUT=$(state $$ /) passes "bundle /: there is no config.json"
    echo '{"ociVersion": 7}' >"$(BUNDLE wrong)/config.json"
    INPUT=$(state $$ "$WORK/wrong") passes "ociVersion"
    mkdir -p "$(BUNDLE dir)/config.json"
    INPUT=$(state $$ "$WORK/dir") passes "config.json"
    echo '{"ociVersion": "1.0.2", "linux": {"namespaces": [{"type": "mount"}]}}' \
        >"$(BUNDLE noroot)/config.json"
    INPUT=$(state $$ "$WORK/noroot") passes "root"
    # Of this no runtime makes a container.
    echo '{"ociVersion": "1.0.2"' >"$(BUNDLE cut)/config.json"
    INPUT=$(state $$ "$WORK/cut") refuses 3 "config.json"
}

@test "an opt-out in the state counts, whatever else is there" {
    local state
    for state in "$(state 0)" "$(state $$ /)" "$(state $$ "$WORK/none")"; do
        INPUT=$(jq -c '.annotations = {"io.lxcfs-hook.enable": "false"}' <<<"$state") \
            refuses 0 "left alone"
        # What is required cannot be undone.
        INPUT=$(jq -c '.annotations = {"io.lxcfs-hook.enable": "false"}' <<<"$state") \
            refuses 3 "not served" createRuntime --required
    done
}

# As crun tells it after it has re-entered the mount namespace.
starts_with_bundle_of_root() {
    make_bundle "rootbundle-$1" 'head -n 1 /proc/meminfo'
    cat >"$WORK/hook-root" <<SCRIPT
#!/bin/sh
jq -c '.bundle = "/"' | "$LXCFS_HOOK" "\$@"
SCRIPT
    chmod +x "$WORK/hook-root"
    set_config "rootbundle-$1" '.hooks.createRuntime[0].path = $hook
        | .hooks.createRuntime[0].env = [$path]' \
        --arg hook "$WORK/hook-root" --arg path "PATH=$PATH"
    run -0 run_container "$1" "rootbundle-$1"
    [[ $output == *"$(head -n 1 /proc/meminfo)"* ]] || fail "$output"
    add_hooks "rootbundle-$1" --required
    set_config "rootbundle-$1" '.hooks.createRuntime[0].path = $hook
        | .hooks.createRuntime[0].env = [$path]' \
        --arg hook "$WORK/hook-root" --arg path "PATH=$PATH"
    run ! run_container "$1" "rootbundle-$1"
}

@test "a bundle without config.json: the container starts, unless the files are required" {
    for_each_runtime starts_with_bundle_of_root
    cleanup_containers
}

good_bundle() {
    (cd "$(BUNDLE "$1")" && rm -f config.json && "${RUNTIMES[0]}" spec)
}

@test "the process of another container" {
    good_bundle mine
    mkdir -p "$WORK/mine/rootfs/proc"
    unshare --mount --pid --fork --mount-proc --kill-child sleep 1000 3>&- &
    local outer=$! pid
    wait_for 5 pgrep -P $outer
    pid=$(pgrep -P $outer)
    INPUT=$(state "$pid" "$WORK/mine") refuses 1 "$WORK/mine/rootfs" createRuntime --required
    kill -KILL "$pid"
}

@test "a root that cannot be read" {
    good_bundle unreadable
    rm -rf "$WORK/unreadable/rootfs"
    unshare --mount --pid --fork --mount-proc --kill-child sleep 1000 3>&- &
    local outer=$! pid
    wait_for 5 pgrep -P $outer
    pid=$(pgrep -P $outer)
    INPUT=$(state "$pid" "$WORK/unreadable") refuses 1 "$WORK/unreadable/rootfs" \
        createRuntime --required
    INPUT=$(state "$pid" "$WORK/unreadable") refuses 0 "$WORK/unreadable/rootfs"
    kill -KILL "$pid"
    # What was registered for nothing is not served.
    [[ $("$LXCFSD" list --json --runtime-dir "$WORK/run") == "[]" ]]
}

@test "the namespace of the hook itself" {
    good_bundle self
    INPUT=$(state $$ "$WORK/self") refuses 0 "mount namespace"
}

@test "stages that cannot work, and unknown words" {
    INPUT=$(state) refuses 2 "createRuntime" createContainer
    INPUT=$(state) refuses 2 "startContainer" startContainer
    INPUT=$(state) refuses 2 "poststart" poststart
    run hook nonsense </dev/null
    [[ $status == 2 ]]
    run hook createRuntime --nonsense </dev/null
    [[ $status == 2 ]]
    run "$LXCFS_HOOK"
    [[ $status == 2 ]]
}

@test "poststop is content with anything that has an id, and with being repeated" {
    local state='{"ociVersion":"1.0.2","id":"never","status":"stopped","bundle":"/gone"}'
    run -0 hook poststop <<<"$state"
    run -0 hook poststop <<<"$state"
    run -0 "$LXCFS_HOOK" poststop --runtime-dir "$WORK/nobody" --no-syslog <<<"$state"
    INPUT='' refuses 0 "state" poststop
    INPUT='' refuses 3 "state" poststop --required
}

@test "precreate gives back what it gets, byte for byte" {
    good_bundle pre
    hook precreate --no-sysinfo <"$WORK/pre/config.json" >"$WORK/out.json"
    cmp "$WORK/pre/config.json" "$WORK/out.json"
    # Of what it changes, it changes nothing else.
    hook precreate <"$WORK/pre/config.json" >"$WORK/out.json"
    [[ $(jq -r .linux.seccomp.listenerPath "$WORK/out.json") == "$WORK/run/seccomp.sock" ]]
    diff <(jq -S . "$WORK/pre/config.json") <(jq -S 'del(.linux.seccomp)' "$WORK/out.json")
    # Nothing can be started with this.
    run hook precreate --sysinfo </dev/null
    [[ $status == 3 ]]
    # Of what is only odd, the engine decides.
    local odd
    for odd in '{"ociVersion": 7}' '{"ociVersion":"1","linux":"io.lxcfs-hook."}' '[]'; do
        [[ $(hook precreate <<<"$odd" 2>/dev/null) == "$odd" ]]
        run hook precreate --required <<<"$odd"
        [[ $status == 3 ]]
    done
}

@test "an absent daemon: the container starts, unless the files are required" {
    good_bundle absent
    unshare --mount --pid --fork --mount-proc --kill-child sleep 1000 3>&- &
    local outer=$! pid
    wait_for 5 pgrep -P $outer
    pid=$(pgrep -P $outer)
    state "$pid" "$WORK/absent" >"$WORK/state"
    run "$LXCFS_HOOK" createRuntime --no-syslog --runtime-dir "$WORK/nobody" <"$WORK/state"
    [[ $status == 0 && $output == *"daemon is not running"*"$WORK/nobody/control.sock"* ]]
    run "$LXCFS_HOOK" createRuntime --no-syslog --runtime-dir "$WORK/nobody" --required \
        <"$WORK/state"
    [[ $status == 1 && $output == *"daemon is not running"* ]]
    kill -KILL "$pid"
}

@test "the hook closes standard output and error" {
    # With a child left behind, this pipe would stay open.
    run -0 timeout 5 bash -c '"$0" poststop --no-syslog --runtime-dir "$1" <<<"$2" | cat' \
        "$LXCFS_HOOK" "$WORK/run" '{"ociVersion":"1","id":"x","status":"stopped","bundle":"/"}'
}

@test "check: what is there, what is missing" {
    run "$LXCFS_HOOK" check --runtime-dir "$WORK/run" --hooks-dir "$WORK/hooks.d"
    echo "$output"
    [[ $output == *"lxcfsd "*" answers"* && $output == *MOVE_MOUNT_BENEATH* ]]
    run "$LXCFS_HOOK" check --runtime-dir "$WORK/nobody"
    [[ $status == 1 && $output == *FAIL*daemon* ]]
    mkdir -p "$WORK/hooks.d"
    jq -n '{version: "1.0.0", hook: {path: "/no/such/lxcfs-hook", args: ["lxcfs-hook", "auto"],
        timeout: 10}, when: {always: true}, stages: ["createRuntime"]}' \
        >"$WORK/hooks.d/50-lxcfs-hook.json"
    run "$LXCFS_HOOK" check --runtime-dir "$WORK/run" --hooks-dir "$WORK/hooks.d"
    [[ $status == 1 && $output == *FAIL*"/no/such/lxcfs-hook"* ]] || fail "$output"
    jq --arg hook "$LXCFS_HOOK" '.hook.path = $hook' "$WORK/hooks.d/50-lxcfs-hook.json" \
        >"$WORK/x" && mv "$WORK/x" "$WORK/hooks.d/50-lxcfs-hook.json"
    run "$LXCFS_HOOK" check --runtime-dir "$WORK/run" --hooks-dir "$WORK/hooks.d"
    [[ $status == 0 && $output != *FAIL* ]] || fail "$output"
}
