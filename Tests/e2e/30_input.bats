# Bad input: an exit code and one clear line each.

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

@test "the state is empty, cut off, no JSON, or no object" {
    INPUT="" refuses 3 "state: empty"
    INPUT='{"ociVersion": "1.0.2", "id": "x"' refuses 3 "state:"
    INPUT='hello' refuses 3 "state:"
    INPUT='[1, 2]' refuses 3 "state:"
}

@test "10 MB of JSON" {
    head -c 10000000 /dev/zero | tr '\0' ' ' >"$WORK/big"
    echo '{}' >>"$WORK/big"
    run hook createRuntime <"$WORK/big"
    [[ $status == 3 && $output == *"the state on stdin"*"too large"* ]] || fail "$output"
}

@test "fields of the state that make no sense" {
    good_bundle bundle
    INPUT=$(state $$ "$WORK" weird) refuses 3 'status'
    INPUT=$(state 0) refuses 3 'pid'
    INPUT=$(state -5) refuses 3 'pid'
    INPUT=$(state 99999999) refuses 3 'pid'
    INPUT=$(state '"x"') refuses 3 'pid'
    INPUT=$(state $$ relative/bundle) refuses 3 'bundle'
    INPUT='{"ociVersion":"1.0.2","id":"../x","status":"creating","pid":1,"bundle":"/"}' \
        refuses 3 'id'
}

@test "bundle and config.json that are missing or unreadable" {
    INPUT=$(state $$ "$WORK/none") refuses 3 "$WORK/none/config.json"
    INPUT=$(state $$ "$(BUNDLE empty)") refuses 3 "$WORK/empty/config.json"
    echo '{"ociVersion": 7}' >"$(BUNDLE wrong)/config.json"
    INPUT=$(state $$ "$WORK/wrong") refuses 3 "ociVersion"
    echo '{"ociVersion": "1.0.2"' >"$(BUNDLE cut)/config.json"
    INPUT=$(state $$ "$WORK/cut") refuses 3 "config.json"
    mkdir -p "$(BUNDLE dir)/config.json"
    INPUT=$(state $$ "$WORK/dir") refuses 3 "config.json"
    echo '{"ociVersion": "1.0.2", "linux": {"namespaces": [{"type": "mount"}]}}' \
        >"$(BUNDLE noroot)/config.json"
    INPUT=$(state $$ "$WORK/noroot") refuses 3 "root"
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
    INPUT='' refuses 3 "state" poststop
}

@test "precreate gives back what it gets, byte for byte" {
    good_bundle pre
    hook precreate <"$WORK/pre/config.json" >"$WORK/out.json"
    cmp "$WORK/pre/config.json" "$WORK/out.json"
    run hook precreate </dev/null
    echo "$status $output"
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
