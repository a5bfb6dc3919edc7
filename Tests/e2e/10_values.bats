# What a container sees: its limits, its CPUs, its age, and nothing of the host.

load helpers

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }
teardown() { cleanup_containers; }

# show NAME SECTION: what the container printed after "== SECTION".
show() { sed -n "/^== $2\$/,/^== /{/^== /d;p}" <<<"$output"; }

REPORT='
for f in meminfo cpuinfo stat uptime loadavg swaps diskstats; do
    echo "== $f"; cat /proc/$f
done
cd /sys/devices/system/cpu
for f in online present possible offline; do echo "== $f"; cat $f; done
echo "== dirs"; ls -d cpu[0-9]*
echo "== end"'

# has_the_kernels_cpus: what never changes is the kernel's.
has_the_kernels_cpus() {
    local cpu=/sys/devices/system/cpu
    [[ $(show - possible) == "$(<$cpu/possible)" && $(show - present) == "$(<$cpu/present)" ]]
    diff <(show - dirs) <(cd $cpu && ls -d cpu[0-9]*)
    # Each is online or offline, and none both; the last ones may not even be possible.
    [[ $(ids "$(show - offline),$(show - online)") == "$(ids "$(<$cpu/possible)" "$(beyond)")" ]]
}

# ids LIST...: the numbers in lists of CPUs, ascending.
ids() {
    awk -v RS='[ ,\n]+' -F- 'NF { for (i = $1; i <= (NF > 1 ? $2 : $1); i++) print i }' <<<"$*" |
        sort -n | xargs
}

# beyond: the CPUs that the kernel has no room for.
beyond() {
    local last
    last=$(ids "$(</sys/devices/system/cpu/possible)")
    for cpu in $(ids "$(</sys/devices/system/cpu/offline)"); do
        ((cpu <= ${last##* })) || echo "$cpu"
    done
}

kilobytes() { show - meminfo | awk -v name="$1:" '$1 == name { print $2 }'; }

sees_memory_and_cpus() {
    make_bundle "values-$1" -m $((256 << 20)) -q 100000 "$REPORT"
    run -0 run_container "$1" "values-$1"
    [[ $(kilobytes MemTotal) == 262144 ]]
    (($(kilobytes MemFree) > 200000 && $(kilobytes MemFree) <= 262144))
    (($(kilobytes MemAvailable) >= $(kilobytes MemFree)))
    (($(kilobytes MemAvailable) <= 262144))
    [[ $(show - cpuinfo | grep -c ^processor) == 1 ]]
    [[ $(show - stat | grep -c '^cpu[0-9]') == 1 ]]
    [[ $(show - online) == 0 ]]
    has_the_kernels_cpus
    # A container that has just started: under TCG that may take a while.
    [[ $(show - uptime) =~ ^[0-9]\.[0-9][0-9]\ [0-9]\.[0-9][0-9]$ ]]
    [[ $(show - loadavg) =~ ^[0-9.]+\ [0-9.]+\ [0-9.]+\ [0-9]+/[0-9]+\ [0-9]+$ ]]
    # Processes of the container are few, those of a host are many.
    local total
    total=$(show - loadavg | sed 's,.*/,,; s, .*,,')
    ((total >= 1 && total <= 5)) || fail "$total threads"
}

@test "memory limit and quota of one CPU" {
    for_each_runtime sees_memory_and_cpus
}

sees_cpuset() {
    make_bundle "cpuset-$1" -c 1 "$REPORT"
    run -0 run_container "$1" "cpuset-$1"
    [[ $(show - cpuinfo | grep ^processor) == $'processor\t: 1' ]]
    [[ $(show - stat | grep -o '^cpu[0-9]') == cpu1 ]]
    [[ $(show - online) == 1 ]]
    has_the_kernels_cpus
}

@test "the CPUs of a cpuset have the kernel's numbers" {
    needs_cpus 2
    for_each_runtime sees_cpuset
}

sees_both() {
    make_bundle "both-$1" -c 1-3 -q 150000 "$REPORT"
    run -0 run_container "$1" "both-$1"
    [[ $(show - cpuinfo | grep -c ^processor) == 2 ]]
    [[ $(show - online) == 1-2 ]]
    [[ $(show - stat | grep -o '^cpu[0-9]') == $'cpu1\ncpu2' ]]
    has_the_kernels_cpus
    make_bundle "three-$1" -c 1-3 "$REPORT"
    run -0 run_container "$1" "three-$1"
    [[ $(show - online) == 1-3 ]]
    [[ $(show - cpuinfo | grep -c ^processor) == 3 ]]
    make_bundle "quota-$1" -q 250000 "$REPORT"
    run -0 run_container "$1" "quota-$1"
    [[ $(show - online) == 0-2 ]]
}

@test "cpuset and quota together: the smaller of the two" {
    needs_cpus 4
    for_each_runtime sees_both
}

sees_host_size() {
    make_bundle "none-$1" -m 0 "$REPORT"
    run -0 run_container "$1" "none-$1"
    [[ $(kilobytes MemTotal) == $(awk '/^MemTotal/ { print $2 }' /proc/meminfo) ]]
    [[ $(show - cpuinfo | grep -c ^processor) == $(online_cpus) ]]
    # Size apart it is still a container.
    [[ $(show - uptime) =~ ^[0-9]\. ]]
}

@test "without limits: the host's size, the container's age" {
    for_each_runtime sees_host_size
}

parent_limit() {
    make_limited_cgroup "$E2E_CGROUP/parent-$1" $((192 << 20))
    make_bundle "child-$1" -m 0 "$REPORT"
    set_config "child-$1" '.linux.cgroupsPath = $path' \
        --arg path "$E2E_CGROUP/parent-$1/child"
    run -0 run_container "$1" "child-$1"
    [[ $(kilobytes MemTotal) == $((192 << 10)) ]]
    (($(kilobytes MemFree) <= 192 << 10))
}

@test "a memory limit on the parent alone" {
    for_each_runtime parent_limit
}

all_consistent() {
    make_bundle "shape-$1" -q 100000 "$REPORT"
    run -0 run_container "$1" "shape-$1"
    # Line by line the names of the kernel's own file.
    diff <(show - meminfo | sed 's/:.*//') <(sed 's/:.*//' /proc/meminfo)
    diff <(show - stat | sed 's/ .*//' | grep -v ^cpu) \
        <(sed 's/ .*//' /proc/stat | grep -v ^cpu)
    diff <(show - diskstats | awk '{ print $1, $2, $3, NF }') \
        <(awk '{ print $1, $2, $3, NF }' /proc/diskstats)
    diff <(show - swaps | head -n 1) <(head -n 1 /proc/swaps)
}

@test "the files have the shape of the kernel's" {
    for_each_runtime all_consistent
}

burns() {
    make_bundle "burn-$1" -q 100000 '
        timeout 2 sh -c "while :; do :; done"
        cat /proc/stat /proc/uptime'
    run -0 run_container "$1" "burn-$1"
    local user system busy age
    read -r _ user _ system _ <<<"$(grep '^cpu ' <<<"$output")"
    busy=$((user + system))
    # The shell may say "Terminated" after it.
    age=$(awk 'NF == 2 && /^[0-9.]+ [0-9.]+$/ { print int($1 * 100) }' <<<"$output")
    # About 2 s, of which a slow machine gives less, and never more than one CPU: the quota
    # lets a period of 100 ms be used in advance.
    ((busy >= 100 && busy <= age + 20)) || fail "busy $busy of $age ticks"
}

@test "CPU time is the container's own" {
    for_each_runtime burns
}

loaded() {
    make_bundle "load-$1" '
        load() { echo "$1 $(cat /proc/loadavg)"; }
        load before
        for i in 1 2 3; do timeout 12 sh -c "while :; do :; done" & done
        sleep 11; load during'
    run -0 run_container "$1" "load-$1"
    local before during
    before=$(awk '$1 == "before" { print $2 }' <<<"$output")
    during=$(awk '$1 == "during" { print $2 }' <<<"$output")
    awk -v before="$before" -v during="$during" \
        'BEGIN { exit !(before <= 0.1 && during >= 0.25 && during <= 1.5) }' ||
        fail "load $before, then $during"
}

@test "load is the container's own" {
    for_each_runtime loaded
}

swap_of() {
    make_bundle "swap-$1" -m $((128 << 20)) "$REPORT"
    # The runtimes count memory and swap together.
    set_config "swap-$1" '.linux.resources.memory.swap = $swap' \
        --argjson swap $((160 << 20))
    run -0 run_container "$1" "swap-$1"
    [[ $(kilobytes SwapTotal) == $((32 << 10)) ]]
    [[ $(show - swaps | awk 'NR == 2 { print $2, $3, $4 }') == "partition 32768 0" ]]
}

@test "swap limit" {
    needs_swap
    for_each_runtime swap_of
}

opts_out() {
    make_bundle "out-$1" 'cat /proc/meminfo'
    set_config "out-$1" '.annotations["io.lxcfs-hook.enable"] = "false"'
    run -0 run_container "$1" "out-$1"
    [[ ${lines[0]} == "$(head -n 1 /proc/meminfo)" ]]
    make_bundle "some-$1" -q 100000 'cat /proc/meminfo; grep -c ^processor /proc/cpuinfo'
    set_config "some-$1" '.annotations["io.lxcfs-hook.files"] = "cpuinfo"'
    run -0 run_container "$1" "some-$1"
    [[ ${lines[0]} == "$(head -n 1 /proc/meminfo)" ]]
    [[ ${lines[-1]} == 1 ]]
    make_bundle "cpus-$1" -q 100000 'grep -c ^processor /proc/cpuinfo'
    set_config "cpus-$1" '.annotations["io.lxcfs-hook.cpus"] = "cpuset"'
    run -0 run_container "$1" "cpus-$1"
    [[ ${lines[-1]} == $(online_cpus) ]]
}

@test "annotations: opt out, choose files, choose the view of CPUs" {
    for_each_runtime opts_out
}

in_user_namespace() {
    make_bundle "userns-$1" -m $((256 << 20)) -q 100000 "id -u; $REPORT"
    set_config "userns-$1" '
        .linux.namespaces += [{type: "user"}]
        | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
        | .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
    chown -R 100000:100000 "$(bundle_of "userns-$1")/rootfs"
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$WORK" "$WORK/bundles" \
        "$(bundle_of "userns-$1")"
    run run_container "$1" "userns-$1"
    echo "$output" | head -n 5
    [[ $status == 0 ]]
    [[ ${lines[0]} == 0 ]]
    [[ $(kilobytes MemTotal) == 262144 ]]
    [[ $(show - online) == 0 ]]
}

@test "a user namespace" {
    for_each_runtime in_user_namespace
}

protects() {
    make_bundle "perm-$1" '
        exec 2>&1 # two pipes would arrive in any order
        stat -c "%a %u" /proc/slabinfo /proc/meminfo
        echo x >/proc/meminfo; echo x >/proc/uptime
        touch /sys/devices/system/cpu/new
        cat /sys/devices/system/cpu/../../system/cpu/online >/dev/null && echo fine
        find /sys/devices/system/cpu -name crash_notes
        mount | grep -c " /proc/.* ro,"'
    run run_container "$1" "perm-$1"
    [[ ${lines[0]} == "400 0" && ${lines[1]} == "444 0" ]]
    [[ $output == *"can't create /proc/meminfo: Read-only file system"* ]]
    [[ $output == *"/sys/devices/system/cpu/new: Read-only file system"* ]]
    [[ $output == *fine* && $output != *crash_notes* ]]
}

@test "files are read-only and no more open than the kernel's" {
    for_each_runtime protects
}
