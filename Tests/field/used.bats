# "Used" and "free" of larger programs, as the kernel has counted it: Tests/e2e/19_used.bats.

load ../e2e/helpers
load ../e2e/load
load ../e2e/cpus
load ../e2e/used
load java

setup_file() {
    make_disk
    start_daemon
}

teardown_file() {
    stop_daemon
    remove_disk
}

teardown() { cleanup_containers; }

# beside NAME COMMAND: what the container has, to a program that is not charged to it.
beside() {
    nsenter --mount --pid --target "$(container_pid "$1")" \
        /usr/bin/env -i PATH=/usr/bin TERM=xterm HOME=/tmp sh -c "$2"
}

psutil_says() {
    output=$(beside "$1" '/usr/bin/python3 -c "
import psutil
m = psutil.virtual_memory()
print(m.total >> 10, m.used >> 10, m.available >> 10, m.shared >> 10, m.percent)"')
    local total available shared percent
    read -r total uncached available shared percent <<<"$output"
    [[ $total == "$LIMIT" ]]
    agrees "available" $((LIMIT - available)) "$(kernel_used "$1")"
    agrees "shared" "$shared" "$(kernel_memory "$1" shmem total_shmem)"
    agrees "percent" "$(awk -v p="$percent" -v l=$LIMIT 'BEGIN { print int(p * l / 100) }')" \
        "$(kernel_used "$1")"
}

@test "psutil" {
    used_bundle psutil
    with_all_kinds psutil_says psutil
}

# The number in its bar; with shared memory since 3.3.
htop_says() {
    output=$(beside "$1" '(sleep 1; printf q; sleep 1) | timeout 20 script -qec \
        "stty rows 16 cols 100; htop --no-color --no-unicode" /dev/null' |
        sed 's/\x1b\[[?0-9;]*[A-Za-z]//g' | grep -ao '[0-9.]*[KMG]/512M' | head -n 1)
    local shown
    shown=$(($(numfmt --from=iec "${output%/*}") / 1024))
    if [[ $(htop --version) == *" 3."[0-2]* ]]; then uncached=$shown; else used=$shown; fi
}

@test "htop" {
    needs_command htop
    used_bundle htop
    with_all_kinds htop_says htop
}

node_says() {
    output=$(beside "$1" "node -p '[os.totalmem(), os.freemem()].map(x => Math.floor(x / 1024)).join(\" \")'")
    [[ ${output% *} == "$LIMIT" ]]
    used=$((LIMIT - ${output#* }))
}

@test "Node" {
    needs_command node
    used_bundle node
    with_all_kinds node_says node
}

# Without its own knowledge of cgroups, so that it asks the kernel; in the container, for only
# there calls are answered. Its own memory counts, and it waits until that has been looked at.
java_says() {
    exec_container runc "$1" /jdk/bin/java -XX:-UseContainerSupport -cp /classes Says memory \
        >"$WORK/java" 2>&1 3>&- &
    wait_for 20 grep -q total "$WORK/java" || fail "$(cat "$WORK/java")"
    output=$(<"$WORK/java")
    [[ $output == "total $LIMIT free "* ]] || fail "$output"
    agrees "not free" $((LIMIT - ${output##* })) "$(kernel_usage "$1")"
    wait
}

@test "Java" {
    used_bundle java "$(java_mounts)"
    add_java java
    local kind
    java_says java
    for kind in holds_memory shares_memory caches; do
        $kind java 50
        java_says java
    done
}
