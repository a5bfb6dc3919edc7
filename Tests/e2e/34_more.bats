# draft
load helpers
load survival
load hostile

setup_file() { start_daemon; meet_neighbour; }
teardown_file() { leave_neighbour; stop_daemon; }
setup() { WORKER=$(worker_pid); }
teardown() { stop_attacks; }

caller_bundle() {
    attack_bundle "$1" attack_more "${@:2}"
    mkdir -p "$(bundle_of "$1")/rootfs/lxcfs"
    set_config "$1" '.mounts += [{destination: "/lxcfs", type: "bind", source: $dir,
        options: ["rbind", "ro"]}]
        | .linux.resources.pids.limit = 0' --arg dir "$WORK/lxcfs"
}
is_ready() { grep -q ready "$WORK/$1.log"; }

# CPU ticks of the daemon
daemon_cpu() {
    local pid
    for pid in $(daemon_processes) $(cat /proc/"$(worker_pid)"/task/*/children); do
        sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }'
    done | awk '{ s += $1 } END { print s }'
}
# container_cpu NAME : ns
container_cpu() { cat "$(cgroup_file "$1" cpuacct.usage cpuacct cpu.stat)"; }

run_attack() {
    local title=$1; shift
    caller_bundle evil "$@"
    attack evil
    wait_for 30 is_ready evil || fail "$(tail -3 "$WORK/evil.log")"
    local c0 t0=${EPOCHREALTIME/./} c1
    c0=$(daemon_cpu)
    under_attack "$title" 4 || true
    c1=$(daemon_cpu)
    echo "# $title: daemon $(( (c1 - c0) * 1000000 / (${EPOCHREALTIME/./} - t0) )) % CPU; $(head -c 200 "$WORK/evil.log" | tr '\n' ' ')" >&3
    echo "# threads $(ls /proc/$(worker_pid)/task | wc -l) fds $(daemon_descriptors) mem $(daemon_memory)" >&3
    [[ $(worker_pid) == "$WORKER" ]] || echo "# WORKER REPLACED" >&3
    stop_attacks
    all_given_back "$title"
    grep -vE "level=(info|notice)" "$WORK/lxcfsd.log" | tail -n 3 | cut -c1-300 >&3
}

@test "nest" { run_attack nest -q 50000 /attack_more nest 600 /lxcfs/proc/loadavg /lxcfs/proc/stat; }
@test "deep" { run_attack deep -q 50000 /attack_more deep 30 8 /lxcfs/proc/loadavg /lxcfs/proc/stat; }
@test "threads" { run_attack threads -q 50000 /attack_more threads 2000 /lxcfs/proc/none /lxcfs/proc/stat; }
@test "threads-own" { run_attack threads-own -q 50000 /attack_more threads 2000 /proc/none /proc/stat /proc/meminfo; }
@test "ways" { run_attack ways -q 50000 /attack_more ways 32 /proc/stat /proc/meminfo /proc/uptime; }
@test "ways-c" { run_attack ways-c -q 50000 /attack_more ways 32 /lxcfs/proc/stat /lxcfs/proc/meminfo; }
@test "odd" { run_attack odd -q 50000 /attack_more odd 32 /proc/stat /lxcfs/proc/meminfo /proc/pressure/cpu; }
@test "signals" { run_attack signals -q 50000 /attack_more signals 8 /proc/stat /lxcfs/proc/meminfo /proc/uptime; }
@test "vfork" { run_attack vfork -q 50000 /attack_more vfork 32 /proc/stat /lxcfs/proc/meminfo; }
@test "wait" { run_attack wait -q 50000 /attack_more wait 32 /lxcfs/proc/stat /proc/pressure/cpu /proc/stat; }
@test "seek" { run_attack seek -q 50000 /attack_more seek 32 /lxcfs/proc /sys/devices/system/cpu /lxcfs/sys/devices/system/cpu/cpu0; }
@test "mounts" { run_attack mounts -q 50000 /attack_more mounts 20000 /proc/diskstats /lxcfs/proc/stat; }
@test "faults" { run_attack faults -q 50000 /attack_more faults 32 /proc/stat /proc/uptime; }
@test "new" { run_attack new -q 50000 /attack_more new 32 /lxcfs/proc/stat /lxcfs/proc/loadavg; }
@test "threads-free" { run_attack threads-free -q 150000 /attack_more threads 300 /lxcfs/proc/stat /lxcfs/proc/uptime; }
