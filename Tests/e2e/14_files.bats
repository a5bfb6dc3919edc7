# Files beside those of /proc that programs read and mix with them: counters of disks, memory
# events, NUMA nodes. The programs are this machine's, in a container that has its /usr.

load helpers
load cpus
load load

setup_file() {
    make_disk
    start_daemon
}

teardown_file() {
    stop_daemon
    remove_disk
}

teardown() { cleanup_containers; }

# section NAME: what the container printed after "== NAME".
section() { awk -v title="== $1" '/^== / { on = $0 == title; next } on' <<<"$output"; }

# Of each device what /proc/diskstats says of it, and what its own files say.
DISKS='
for link in /sys/dev/block/*; do
    number=${link##*/}
    line=$(busybox awk -v n="$number" '\''$1 ":" $2 == n {
        for (i = 4; i <= NF; i++) printf "%8d%s", $i, i < NF ? " " : "\n" }'\'' /proc/diskstats)
    [ "$line" = "$(cat $link/stat)" ] || echo "differs: $number: $line / $(cat $link/stat)"
    [ "$(cat $link/inflight)" = "       0        0" ] || echo "inflight: $number"
done
echo looked'

disks_agree() {
    cpu_bundle "disks-$1" "$DISKS"
    run -0 run_container "$1" "disks-$1"
    [[ $output == looked ]]
}

@test "the counters of a disk below /sys are those of /proc/diskstats" {
    for_each_runtime disks_agree
}

iostat_is_idle() {
    cpu_bundle "iostat-$1" 'iostat -o JSON -x; iostat -o JSON; sleep 1; iostat -d'
    run -0 run_container "$1" "iostat-$1"
    # The first report divides what has been done since the start by the age of the container:
    # an idle container has done next to nothing.
    local report
    report=$(sed '/^Linux/,$d' <<<"$output")
    jq -se 'length == 2' <<<"$report"
    jq -se '[.[].sysstat.hosts[0].statistics[0].disk[] | .util // 0] | max <= 100' <<<"$report"
    jq -se '[.[].sysstat.hosts[0].statistics[0].disk[] | .["kB_wrtn/s"] // 0] | add < 5000' <<<"$report"
}

@test "iostat's first report is the container's" {
    needs_command iostat
    for_each_runtime iostat_is_idle
}

vmstat_is_idle() {
    cpu_bundle "vmstat-$1" 'vmstat -n; echo == s; vmstat -s; echo == free; free -k;
        echo == meminfo; cat /proc/meminfo; echo == vmstat; cat /proc/vmstat'
    run -0 run_container "$1" "vmstat-$1"
    # bi and bo of the first line: kB per second since the start, of a container that has read at
    # most its own programs.
    local bi bo
    read -r bi bo < <(awk 'NR == 3 { print $9, $10 }' <<<"$output")
    echo "bi $bi bo $bo"
    ((bi < 100000 && bo < 10000))
    # The same lines as the kernel's, and amounts that agree with meminfo, in pages.
    diff <(section vmstat | sed 's/ .*//') <(sed 's/ .*//' /proc/vmstat)
    local page free
    page=$(getconf PAGESIZE)
    free=$(section vmstat | awk -v page="$page" '$1 == "nr_free_pages" { print $2 * page / 1024 }')
    near "$free" "$(section meminfo | awk '$1 == "MemFree:" { print $2 }')" 1024
    ((free <= 131072))
    # What a process that has just started has taken.
    local faults
    faults=$(section vmstat | awk '$1 == "pgfault" { print $2 }')
    echo "pgfault $faults"
    ((faults > 0 && faults < 100000))
    [[ $(section s | awk '/pages swapped/ { n += $1 } END { print n }') == 0 ]]
    [[ $(section s | awk '/total memory/ { print $1 }') == 131072 ]]
}

@test "vmstat's first line and vmstat -s are the container's" {
    for_each_runtime vmstat_is_idle
}

faults() { awk '$1 == "pgfault" { print $2 }' "$@"; }

# A neighbour forks all the time: the machine has many page faults, the container few. Its own are
# in the next content (the window), when the kernel has added up what each CPU has counted (2 s).
paging_counts() {
    local before most noise
    cpu_bundle "paging-$1" 'sar.sysstat -B 1 2; cat /proc/vmstat >/tmp/before
        sleep 0.1
        busybox dd if=/dev/zero of=/dev/null bs=20M count=1 2>/dev/null
        sleep 2.5
        cat /proc/vmstat | busybox awk '\''NR == FNR { before[$1] = $2; next }
            $1 !~ /^nr_/ && $2 < before[$1] { print "backwards", $0 }
            $1 == "pgfault" { print "faults", $2 - before[$1] }'\'' /tmp/before -'
    while :; do busybox true; done 3>&- &
    noise=$!
    before=$(faults /proc/vmstat)
    run run_container "$1" "paging-$1"
    most=$((($(faults /proc/vmstat) - before) / 2))
    kill "$noise"
    echo "$output"
    # fault/s of two seconds, beside what the machine had.
    awk -v most="$most" '$1 == "Average:" && $2 != "pgpgin/s" { average = $4; found = 1 }
        END { print average, "of", most; exit !(found && average < most / 4) }' <<<"$output"
    [[ $output != *backwards* ]]
    # Fewer than there are pages, where the kernel gives huge ones.
    (($(sed -n 's/^faults //p' <<<"$output") >= 100))
}

@test "sar -B counts the container's page faults, and no counter runs backwards" {
    needs_command sar.sysstat
    for_each_runtime paging_counts
}

NODES='cd /sys/devices/system/node
    for f in online possible has_cpu has_memory; do echo "== $f"; cat $f; done
    echo "== dirs"; ls -d node[0-9]*
    echo "== links"; ls -d node0/cpu[0-9]* && cat node0/cpu1/topology/core_id
    for f in cpulist cpumap meminfo vmstat numastat distance; do echo "== $f"; cat node0/$f; done
    echo "== rest"; ls node0 | grep -Ev "^(cpu|memory)[0-9]"; cat node0/hugepages/*/nr_hugepages
    echo "== proc"; cat /proc/meminfo; echo "== own"; cat /proc/vmstat
    echo "== end"'

one_node() {
    local node=/sys/devices/system/node name
    cpu_bundle "node-$1" -c 1 "$NODES"
    run -0 run_container "$1" "node-$1"
    # What never changes is the kernel's.
    for name in online possible; do [[ $(section $name) == "$(<$node/$name)" ]]; done
    [[ $(section dirs) == "$(cd $node && ls -d node[0-9]*)" ]]
    [[ $(section links | grep cpu) == "$(cd $node && ls -d node0/cpu[0-9]*)" ]]
    [[ $(section distance) == "$(<$node/node0/distance)" ]]
    diff <(section rest) <(cd $node && ls node0 | grep -Ev "^(cpu|memory)[0-9]|^(compact|reclaim)$"
        cat node0/hugepages/*/nr_hugepages)
    [[ $(section has_memory) == 0 && $(section has_cpu) == 0 ]]
    [[ $(section cpulist) == 1 ]]
    ((0x$(section cpumap | tr -d ,) == 2))
    # As long and with the same lines as the kernel's.
    for name in meminfo vmstat numastat; do
        diff <(section $name | sed 's/\(.*\)[: ].*/\1/; s/ [0-9 ]*$//; s/ *$//') \
            <(sed 's/\(.*\)[: ].*/\1/; s/ [0-9 ]*$//; s/ *$//' $node/node0/$name)
    done
    [[ $(section meminfo | awk '{ print length }' | sort -u | wc -l) == \
        $(awk '{ print length }' $node/node0/meminfo | sort -u | wc -l) ]]
    # The only node has all of the container's memory.
    [[ $(section meminfo | awk '$3 == "MemTotal:" { print $4 }') == 131072 ]]
    near "$(section meminfo | awk '$3 == "MemFree:" { print $4 }')" \
        "$(section proc | awk '$1 == "MemFree:" { print $2 }')" 1024
    near "$(section meminfo | awk '$3 == "AnonPages:" { print $4 }')" \
        "$(section proc | awk '$1 == "AnonPages:" { print $2 }')" 1024
    [[ $(section numastat | awk '{ n += $2 } END { print n }') == 0 ]]
    near "$(section vmstat | awk '$1 == "nr_free_pages" { print $2 }')" \
        "$(section own | awk '$1 == "nr_free_pages" { print $2 }')" 256
}

needs_one_node() {
    local nodes=(/sys/devices/system/node/node[0-9]*)
    [[ -d ${nodes[0]} ]] || skip "the kernel has no NUMA nodes"
    [[ ${#nodes[@]} == 1 ]] || skip "needs one NUMA node, this machine has ${#nodes[@]}"
}

@test "the only NUMA node has the container's memory and CPUs" {
    needs_cpus 2
    needs_one_node
    for_each_runtime one_node
}

node_programs() {
    cpu_bundle "numa-$1" -q 100000 'echo == lscpu; lscpu; echo == numactl; numactl -H
        echo == numastat; numastat -m; echo == numa; numastat; echo == free; free --si -k; echo == lsmem; lsmem; echo == end'
    run -0 run_container "$1" "numa-$1"
    section lscpu | grep -Eq '^On-line CPU\(s\) list: +0$'
    section lscpu | grep -Eq '^NUMA node0 CPU\(s\): +0$'
    section numactl | grep -qx 'node 0 cpus: 0'
    section numactl | grep -qx 'node 0 size: 127 MB\|node 0 size: 128 MB'
    [[ $(section numastat | awk '$1 == "MemTotal" { print $2 }') == 128.00 ]]
    [[ $(section numa | awk '$1 == "numa_hit" { print $2 }') == 0 ]]
    # Blocks of the machine's memory, as said in docs/files.md.
    section lsmem | grep -q '^Memory block size'
}

@test "lscpu, numactl and numastat show the container's CPUs and memory" {
    needs_cpus 2
    needs_one_node
    needs_command numactl
    for_each_runtime node_programs
}

with_podman() {
    podman_run "$1" --memory 100m -- sh -c '
        cat /sys/devices/system/node/node0/meminfo
        grep -w pgfault /proc/vmstat
        cat /sys/block/*/inflight' >"$WORK/podman"
    grep -Eq '^Node 0 MemTotal: +102400 kB$' "$WORK/podman"
    (($(awk '$1 == "pgfault" { print $2 }' "$WORK/podman") < 100000))
    grep -qx '       0        0' "$WORK/podman"
}

@test "podman: nodes, events and disks" {
    needs_command podman
    needs_one_node
    add_podman_hook
    for_each_runtime with_podman
}

atop_agrees() {
    cpu_bundle "atop-$1" 'atop -P MEM,NUM,PAG 1 1'
    run -0 run_container "$1" "atop-$1"
    local page
    page=$(getconf PAGESIZE)
    # The first sample: since the start. Physical memory in pages, of the container and of node 0.
    awk -v page="$page" '$1 == "MEM" { mem = $8 * page } $1 == "NUM" && $7 == 0 { num = $10 * page }
        END { print mem, num; exit !(mem == 134217728 && num == mem) }' <<<"$output"
}

@test "atop shows the container's memory, also by node" {
    needs_command atop
    needs_one_node
    for_each_runtime atop_agrees
}

needs_nodes() {
    local nodes=(/sys/devices/system/node/node[0-9]*)
    [[ -d ${nodes[0]} ]] && ((${#nodes[@]} >= $1)) || skip "needs $1 NUMA nodes"
}

TWO='cd /sys/devices/system/node
    i=0; while [ $i -lt 3 ]; do i=$((i + 1)); head -c 20971520 /dev/zero >/tmp/f$i; done
    for f in online has_cpu has_memory node0/cpulist node1/cpulist node0/meminfo node1/meminfo; do
        echo "== $f"; cat $f
    done; echo "== proc"; cat /proc/meminfo; echo "== end"'

# node NUMBER LINE: in kB.
node() { section "node$1/meminfo" | awk -v name="$2:" '$3 == name { print $4 }'; }

two_nodes() {
    local name
    # Memory and CPUs of both.
    make_bundle "both-$1" "$TWO"
    run -0 run_container "$1" "both-$1"
    [[ $(section has_memory) == 0-1 && $(section has_cpu) == 0-1 ]]
    (($(node 0 MemTotal) + $(node 1 MemTotal) == 131072))
    near $(($(node 0 MemFree) + $(node 1 MemFree))) \
        "$(section proc | awk '$1 == "MemFree:" { print $2 }')" 4096
    near $(($(node 0 FilePages) + $(node 1 FilePages))) \
        "$(section proc | awk '$1 == "Cached:" { print $2 }')" 4096
    (($(node 0 FilePages) + $(node 1 FilePages) >= 60000))
    # Memory of one node, CPUs of the other.
    for name in 0 1; do
        make_bundle "mems$name-$1" -c 0 "$TWO"
        set_config "mems$name-$1" '.linux.resources.cpu.mems = $mems' --arg mems $name
        run -0 run_container "$1" "mems$name-$1"
        [[ $(section online) == "$(</sys/devices/system/node/online)" ]]
        [[ $(section has_memory) == "$name" && $(section has_cpu) == 0 ]]
        [[ $(section node0/cpulist) == 0 && -z $(section node1/cpulist) ]]
        [[ $(node $name MemTotal) == 131072 && $(node $((1 - name)) MemTotal) == 0 ]]
        [[ $(node $((1 - name)) FilePages) == 0 ]]
        near "$(node $name FilePages)" "$(section proc | awk '$1 == "Cached:" { print $2 }')" 4096
    done
}

@test "two NUMA nodes: shares that add up, and nodes of the cpuset" {
    needs_nodes 2
    for_each_runtime two_nodes
}
