# Counters of /proc/stat and /proc/uptime never run backwards: not when the quota or the
# cpuset change, nor over the life of a daemon.

load helpers
load load

setup() { start_daemon; }

teardown() {
    cleanup_containers
    stop_daemon
}

set_quota() {
    if [[ $(cgroup_version) == v2 ]]; then
        echo "${2/-1/max} 100000" >"$(cgroup_file "$1" cpu.max - -)"
    else
        echo "$2" >"$(cgroup_file "$1" - cpu cpu.cfs_quota_us)"
    fi
}

set_cpuset() { echo "$2" >"$(cgroup_file "$1" cpuset.cpus cpuset cpuset.cpus)"; }

burn() { exec_container runc "$1" timeout 1 sh -c 'while :; do :; done' || true; }

restart() {
    if [[ $1 == kill ]]; then
        kill -KILL "$(daemon_pid)"
        wait_for 5 is_gone "$(daemon_pid)"
        rm -f "$WORK/daemon.pid"
    else
        stop_process "$(daemon_pid)"
    fi
    start_daemon
}

@test "quota and cpuset change, and the daemon is started again" {
    needs_cpus 2
    make_bundle counting -c 0-1
    start_container runc counting
    local last now step
    last=$(counters counting)
    for step in "set_quota counting 100000" "restart kill" "set_quota counting 50000" \
        "set_quota counting -1" "restart term" "set_cpuset counting 1" "restart kill" \
        "set_cpuset counting 0-1" "restart term" "restart kill"; do
        burn counting
        now=$(counters counting)
        not_backwards "$last" "$now"
        last=$now
        $step
        now=$(counters counting)
        echo "after $step:" $now
        not_backwards "$last" "$now"
        last=$now
    done
    # And what is counted is still what the kernel counts.
    near "$(awk '$1 == "cpu" { print $2 + $4 }' "$WORK/lxcfs/counting/proc/stat")" \
        "$(kernel_cpu counting)" 30
    # What is kept for a container takes room, and is given back.
    (($(stat -c %b "$WORK/run/counters.2") > 0))
    delete_container runc counting
    wait_for 5 eval '(($(stat -c %b "$WORK/run/counters.2") == 0))'
}

@test "a CPU goes offline" {
    [[ $(cgroup_version) == v2 ]] || skip "takes a CPU away from a machine that others use"
    needs_cpus 4
    local cpu=/sys/devices/system/cpu/cpu3/online last now
    make_bundle offline
    start_container runc offline
    burn offline
    last=$(counters offline)
    echo 0 >$cpu
    now=$(counters offline)
    not_backwards "$last" "$now" || { echo 1 >$cpu; return 1; }
    [[ $(grep -c ^cpu3 <<<"$now") == 0 && $(grep -c ^cpu2.idle <<<"$now") == 1 ]] ||
        { echo 1 >$cpu; fail "$now"; }
    echo 1 >$cpu
    last=$(counters offline)
    not_backwards "$now" "$last"
    [[ $(grep -c ^cpu3.idle <<<"$last") == 1 ]]
}
