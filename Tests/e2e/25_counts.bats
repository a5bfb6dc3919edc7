# What a container makes large in what is counted and looked up: threads, the texts that the kernel
# has of them, cgroups below its own, depth. Its own figures are estimates then; nobody else is to
# notice.

load helpers
load hostile
load load

setup_file() {
    start_daemon
    meet_neighbour
}

teardown_file() {
    leave_neighbour
    stop_daemon
}

teardown() {
    stop_attacks
    remove_sub_cgroups
}

THREADS=$((20000 / ${E2E_FEWER:-1}))
# On v2 the container pays for each with memory.
SUB_CGROUPS=$((20000 / ${E2E_FEWER:-1}))
[[ $(cgroup_version) != v2 ]] || SUB_CGROUPS=$((3000 / ${E2E_FEWER:-1}))

# needs_threads COUNT: the machine has numbers for so many more.
needs_threads() {
    (($(</proc/sys/kernel/pid_max) > $1 + 8000)) || skip "needs a higher kernel.pid_max"
    (($(</proc/sys/kernel/threads-max) > $1 + 8000)) || skip "needs a higher kernel.threads-max"
}

is_ready() { grep -q ready "$WORK/$1.log"; }

# is_served NAME: what a container with many threads is shown of them is near to what it has.
# usage: is_served NAME RUNNING-LOW RUNNING-HIGH THREADS-LOW
is_served() {
    local shown
    shown=$(nsenter --mount --target "$(container_pid "$1")" cat /proc/loadavg)
    echo "$1: $shown" >"$WORK/shown"
    [[ $shown =~ ^[0-9.]+\ [0-9.]+\ [0-9.]+\ ([0-9]+)/([0-9]+)\ ([0-9]+)$ ]] || return 1
    ((BASH_REMATCH[1] >= $2 && BASH_REMATCH[1] <= $3 && BASH_REMATCH[2] >= $4))
}

# last_number NAME: the last field of its /proc/loadavg.
last_number() {
    nsenter --mount --target "$(container_pid "$1")" cat /proc/loadavg | awk '{ print $5 }'
}

# cgroup_of NAME: the directory of a container in which threads are counted. (In that of the memory
# controller the container pays for each cgroup with memory.)
cgroup_of() { dirname "$(cgroup_file "$1" cgroup.procs pids cgroup.procs)"; }

# make_sub_cgroups NAME COUNT: as a container does that may write to its cgroup.
make_sub_cgroups() {
    cgroup_of "$1" >>"$WORK/sub_cgroups"
    (cd "$(cgroup_of "$1")" && seq -f 'many%.0f' "$2" | xargs mkdir)
}

@test "threads with 65,536 supplementary groups, 8 readers of /proc/loadavg" {
    local count=$((1500 / ${E2E_FEWER:-1}))
    needs_threads 1500
    attack_bundle groups attack_threads -m $((256 << 20)) \
        /attack_threads "$count" 65536 0 8 /proc/loadavg
    attack groups
    wait_for 60 is_ready groups
    under_attack "$count threads with long status"
    wait_for 10 is_served groups 1 9 "$count" || fail "$(<"$WORK/shown")"
    # Where the kernel tells the numbers in a namespace.
    if needs_kernel_quietly 6 11; then
        wait_for 10 has_number groups "$count"
    fi
    stop_attacks
    all_given_back "$count threads with long status"
}

needs_kernel_quietly() {
    local major minor
    IFS=.- read -r major minor _ <<<"$(uname -r)"
    ((major > $1 || (major == $1 && minor >= $2)))
}

has_number() { (($(last_number "$1") >= $2)); }

@test "20,000 threads, some of which run, 8 readers" {
    needs_threads "$THREADS"
    attack_bundle threads attack_threads -m 0 -q 20000 \
        /attack_threads "$THREADS" 0 0 8 /proc/loadavg /proc/stat
    set_config threads '.linux.resources.pids.limit = 0'
    attack threads
    wait_for 120 is_ready threads
    under_attack "$THREADS threads"
    wait_for 10 is_served threads 1 "$((THREADS / 20))" "$THREADS" || fail "$(<"$WORK/shown")"
    stop_attacks
    all_given_back "$THREADS threads"
}

@test "of many threads as many run as the kernel says" {
    # A few CPUs' worth of running threads among many, on a small share of one CPU.
    attack_bundle some attack_threads -m 0 -q 10000 /attack_threads 1500 0 300 0
    set_config some '.linux.resources.pids.limit = 0'
    needs_threads 1500
    attack some
    wait_for 60 is_ready some
    # A look in the background takes a sample of 1,024: 300 of 1,500, give or take.
    wait_for 10 is_served some 230 370 1500 || fail "$(<"$WORK/shown")"
    # The sampler counts them for the load average.
    wait_for 30 has_load some 15
}

has_load() {
    nsenter --mount --target "$(container_pid "$1")" cat /proc/loadavg |
        awk -v least="$2" '{ exit !($1 >= least) }'
}

@test "20,000 empty cgroups below a container's, 8 readers" {
    attack_bundle cgroups attack_threads -m 0 -q 100000 /attack_threads 10 0 2 8 /proc/loadavg /proc/meminfo
    attack cgroups
    wait_for 20 is_ready cgroups
    make_sub_cgroups cgroups "$SUB_CGROUPS"
    under_attack "$SUB_CGROUPS cgroups"
    wait_for 10 is_served cgroups 1 20 11 || fail "$(<"$WORK/shown")"
    # The list does not wait for it.
    local before=${EPOCHREALTIME/./} took
    "$LXCFSD" list --runtime-dir "$WORK/run" >"$WORK/list"
    took=$((${EPOCHREALTIME/./} - before))
    grep -q cgroups "$WORK/list" || fail "$(<"$WORK/list")"
    echo "# lxcfsd list: $took us" >&3
    ((took < 100000 * ${E2E_PATIENCE:-1})) || fail "the list takes $took us"
    stop_attacks
    remove_sub_cgroups
    all_given_back "$SUB_CGROUPS cgroups"
}

@test "threads that are spread over many cgroups are found in the end" {
    attack_bundle spread attack_threads -m 0 /attack_threads 0 0 0 1 /proc/loadavg
    attack spread
    wait_for 20 is_ready spread
    make_sub_cgroups spread 700
    local dir n
    dir=$(cgroup_of spread)
    # Stopped processes of the test itself: what they do is known.
    for n in 1 200 400 700; do
        # shellcheck disable=SC2016
        sh -c 'echo $$ >"$1/cgroup.procs"; while :; do :; done' sh "$dir/many$n" 3>&- &
        echo $! >>"$WORK/spinners"
    done
    # Each look sees 512 of the cgroups.
    wait_for 20 is_served spread 4 8 5 || fail "$(<"$WORK/shown")"
    xargs kill -9 <"$WORK/spinners"
    rm "$WORK/spinners"
}

@test "a caller whose cgroup lies 100 levels deep" {
    local dir deep
    attack_bundle deep - -n -m 0 sh -c 'while :; do cat /proc/meminfo /proc/loadavg; done'
    set_config deep '.mounts += [("meminfo", "loadavg") | {destination: ("/proc/" + .),
        type: "bind", source: ($source + .), options: ["bind"]}]' \
        --arg source "$WORK/lxcfs/proc/"
    attack deep
    for dir in "$(cgroup_of deep)" \
        "$(dirname "$(cgroup_file deep cgroup.procs memory cgroup.procs)")"; do
        echo "$dir" >>"$WORK/sub_cgroups"
        deep=$dir$(printf '/d%.0s' {1..100})
        mkdir -p "$deep"
        cat "$dir/cgroup.procs" >"$WORK/procs"
        while read -r pid; do
            # Not a cat that has ended.
            echo "$pid" >"$deep/cgroup.procs" || true
        done <"$WORK/procs"
    done
    sleep 1
    under_attack "100 levels deep" 2
    # The daemon holds no files of each level.
    local more=$(($(daemon_descriptors) - $(<"$WORK/quiet.descriptors")))
    echo "# 100 levels deep: $more descriptors more" >&3
    ((more < 600)) || fail "$more descriptors more"
}

@test "a container's threads are counted at once, if they are few" {
    make_bundle few 'for i in 1 2 3; do sleep 1000 & done; cat /proc/loadavg /proc/loadavg'
    run -0 run_container "${RUNTIMES[0]}" few
    [[ ${lines[0]} =~ \ ([0-9]+)/([45])\ ([0-9]+)$ ]] || fail "$output"
    ((BASH_REMATCH[1] >= 1 && BASH_REMATCH[3] >= 4)) || fail "$output"
}
