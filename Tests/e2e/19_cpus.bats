# CPU ids are the kernel's: programs that count, show and bind to CPUs work with a cpuset, with a
# quota, and with both. They are this machine's programs, in a container that has its /usr.

load helpers
load cpus

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }
teardown() { cleanup_containers; }

CPU=/sys/devices/system/cpu

# What must hold for every id that the kernel hands out.
IDS='
import ctypes, os
root = "/sys/devices/system/cpu/"
def cpus(name):
    out = set()
    for part in open(root + name).read().strip().split(","):
        if part:
            low, _, high = part.partition("-")
            out |= set(range(int(low), int(high or low) + 1))
    return out
possible, present, online = cpus("possible"), cpus("present"), cpus("online")
affinity = os.sched_getaffinity(0)
assert online <= affinity <= present <= possible, (online, affinity, present, possible)
assert not online & cpus("offline") and possible <= online | cpus("offline")
# A mask as .NET sizes it.
size = (max(possible) // 64 + 1) * 8
mask = ctypes.create_string_buffer(size)
assert ctypes.CDLL(None, use_errno=True).sched_getaffinity(0, size, mask) == 0, ctypes.get_errno()
assert ctypes.CDLL(None).sched_getcpu() in affinity
for cpu in present:
    there = os.path.exists(root + "cpu%d/topology/core_id" % cpu)
    assert there == (cpu in affinity), cpu
    for name in "topology/core_siblings", "topology/thread_siblings_list", "cache/index0":
        assert os.path.exists(root + "cpu%d/%s" % (cpu, name)) == (cpu in online), (cpu, name)
    switch = root + "cpu%d/online" % cpu
    if os.path.exists(switch): assert int(open(switch).read()) == (cpu in online), cpu
for cpu in online:
    for name in "core_siblings_list", "thread_siblings_list":
        members = cpus("cpu%d/topology/%s" % (cpu, name))
        assert cpu in members and members <= online, (cpu, members)
        bits = open(root + "cpu%d/topology/%s" % (cpu, name[:-5])).read().strip().replace(",", "")
        assert {i for i in range(4096) if int(bits, 16) >> i & 1} == members, (cpu, bits)
lines = [line for line in open("/proc/stat") if line.startswith("cpu") and line[3] != " "]
assert {int(line.split()[0][3:]) for line in lines} == online
lines = [line for line in open("/proc/cpuinfo") if line.startswith("processor")]
assert {int(line.split(":")[1]) for line in lines} == online
assert os.sysconf("SC_NPROCESSORS_ONLN") == len(online) == os.cpu_count()
print("online", len(online), "affinity", len(affinity))'

# holds NAME EXPECTED [BUNDLE-OPTION...]
holds() {
    in_cpus "$1" "${@:3}" python3 -c "$IDS"
    [[ $output == "$2" ]] || fail "$output"
}

@test "every id of the kernel is possible and has its directory" {
    needs_command /usr/bin/python3
    needs_cpus 2
    local there
    there=$(online_cpus)
    holds ids-all "online $there affinity $there"
    holds ids-cpuset "online 1 affinity 1" -c 1
    holds ids-quota "online 1 affinity $there" -q 100000
    holds ids-both "online 1 affinity 2" -c 0-1 -q 50000
    ((there >= 4)) || return 0
    holds ids-middle "online 2 affinity 2" -c 1-2
    holds ids-gap "online 2 affinity 2" -c 1,3
    holds ids-middle-both "online 2 affinity 3" -c 1-3 -q 150000
}

@test "names, also those of other CPUs, are the kernel's" {
    needs_cpus 2
    in_cpus names -c 1 'cd /sys/devices/system/cpu; ls; echo; ls cpu0; echo; ls cpu1
        cat cpu0/topology/core_id cpu4096/uevent cpu01/uevent 2>&1 || true'
    [[ $output == *"cpu0/topology/core_id: No such file"* ]]
    [[ $output == *"cpu4096/uevent: No such file"*"cpu01/uevent: No such file"* ]]
    # Nothing that the host does not have, and only what everybody may read.
    local line directory=""
    while read -r line; do
        [[ $line != *" "* ]] || break
        [[ -n $line ]] || { directory=cpu$((${directory:+1} + 0)); continue; }
        [[ -e $CPU/$directory/$line ]] || fail "$directory/$line"
    done <<<"$output"
    [[ ! -e $CPU/cpu1/online || $output == *$'\nonline\n'* ]]
}

@test "nproc, getconf, lscpu, taskset" {
    needs_cpus 2
    # More may be possible than there are.
    local all there present affinity report='nproc; nproc --all; getconf _NPROCESSORS_CONF; getconf _NPROCESSORS_ONLN
        getconf -a >/dev/null; taskset -cp $$ | sed "s/.*: //"
        lscpu | awk "/^(Thread|Core|Socket)/ { print \$NF }" | xargs
        lscpu -p=CPU | grep -v "#" | xargs; lscpu -p=CPU,CORE -a | grep -v "#" | wc -l'
    all=$(nproc --all) there=$(online_cpus)
    present=$(lscpu -p=CPU,CORE -a | grep -vc "#")
    affinity=$(taskset -cp $$ | sed "s/.*: //")
    in_cpus tools-cpuset -c 1 "$report"
    [[ ${lines[*]} == "1 $all $all 1 1 1 1 1 1 $present" ]] || fail "${lines[*]}"
    in_cpus tools-quota -q 100000 "$report"
    [[ ${lines[*]} == "$there $all $all 1 $affinity 1 1 1 0 $present" ]] || fail "${lines[*]}"
}

# All programs count the same CPUs as their kernel numbers them: a line for each in top, in stat
# and in what mpstat, htop and libuv make of it.
@test "top with a line for each CPU" {
    needs_cpus 2
    local report='TERM=dumb /usr/bin/top -b -n1 -1 -w 300 | grep -o "%Cpu[0-9]*" | xargs'
    in_cpus top-cpuset -c 1 "$report"
    [[ $output == "%Cpu1" ]] || fail "$output"
    in_cpus top-quota -q 100000 "$report"
    [[ $output == "%Cpu0" ]] || fail "$output"
    in_cpus top-both -c 0-1 -q 50000 "$report"
    [[ $output == "%Cpu0" ]] || fail "$output"
    in_cpus top-all "$report"
    [[ $(wc -w <<<"$output") == $(online_cpus) ]] || fail "$output"
}

@test "chrt, busybox nproc and taskset" {
    needs_cpus 2
    local report='chrt -b 0 sh -c "chrt -p \$\$" | sed -n "s/.*policy: //p"
        chrt -i 0 nproc; busybox nproc; busybox nproc --all
        for n in $(sed "s/[,-]/ /g" /sys/devices/system/cpu/online); do
            busybox taskset $(printf 0x%x $((1 << n))) true || echo $n
            taskset -c $n chrt -o 0 nproc || echo $n
        done'
    local present there
    present=$(busybox nproc --all) there=$(online_cpus)
    in_cpus chrt-cpuset -c 1 "$report"
    [[ ${lines[*]} == "SCHED_BATCH 1 1 $present 1" ]] || fail "$output"
    in_cpus chrt-quota -q 100000 "$report"
    [[ ${lines[*]} == "SCHED_BATCH $there $there $present 1" ]] || fail "$output"
    in_cpus chrt-both -c 0-1 -q 50000 "$report"
    [[ ${lines[*]} == "SCHED_BATCH 2 2 $present 1" ]] || fail "$output"
}

@test "OpenMP of GCC" { openmp_everywhere openmp; }

@test "OpenMP of LLVM and Intel" { openmp_everywhere openmp-llvm; }

@test "with --affinity all ways to count agree" {
    needs_command /usr/bin/python3
    needs_program openmp
    needs_cpus 2
    local config
    cpu_bundle answered -c 0-1 -q 100000 'nproc; openmp; /usr/bin/python3 -c "
import os
print(os.cpu_count(), os.sched_getaffinity(0))"'
    config=$(bundle_of answered)/config.json
    "$LXCFS_HOOK" precreate --no-syslog --runtime-dir "$WORK/run" --affinity \
        <"$config" >"$config.new" && mv "$config.new" "$config"
    run -0 run_container "${RUNTIMES[0]}" answered
    [[ ${lines[0]} == 1 && ${lines[1]} == "threads 1 procs 1 "* && ${lines[2]} == "1 {0}" ]] ||
        fail "$output"
}
