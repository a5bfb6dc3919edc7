# Programs that show CPUs or bind to them, with a cpuset, with a quota, and with both.

load ../e2e/helpers
load ../e2e/cpus

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }
teardown() { cleanup_containers; }

# each_way COMMAND: runs it in three ways; its output is in $all, $cpuset, $quota and $both.
each_way() {
    needs_cpus 2
    in_cpus way-all "$1" && all=$output
    in_cpus way-cpuset -c 1 "$1" && cpuset=$output
    in_cpus way-quota -q 100000 "$1" && quota=$output
    in_cpus way-both -c 0-1 -q 50000 "$1" && both=$output
    printf '%s\n' "--- all" "$all" "--- cpuset 1" "$cpuset" "--- quota 1" "$quota" \
        "--- cpuset 0-1, quota 0.5" "$both"
}

EAL="eal --no-huge --no-pci --no-telemetry --no-shconf -m 16"

@test "DPDK" {
    needs_program eal
    each_way "$EAL 2>&1 | tail -n 1"
    [[ $cpuset == "lcores 1@1" ]]
    [[ $quota == "$all" && $both == "lcores 0@0 1@1" ]]
    # The main lcore is asked for by its id.
    in_cpus way-main -c 0-1 -q 100000 "$EAL -l 1 2>&1 | tail -n 1"
    [[ $output == "lcores 1@1" ]]
}

@test "stress-ng --taskset" {
    needs_command stress-ng
    each_way 'n=$(taskset -cp $$ | sed "s/.*: //")
        stress-ng --taskset "$n" --cpu 1 --cpu-ops 1 --timeout 5 2>&1; echo "status $?"'
    for output in "$all" "$cpuset" "$quota" "$both"; do
        [[ $output == *"status 0" && $output != *nvalid* && $output != *range* ]]
    done
}

@test "hwloc" {
    needs_command hwloc-calc
    each_way 'hwloc-calc --physical-output -I pu all; hwloc-bind --get; hwloc-info 2>&1 | tail -n 2'
    [[ $cpuset == 1$'\n'* && $quota == 0$'\n'* ]]
}

@test "numactl" {
    needs_command numactl
    each_way 'numactl --show; numactl -C $(taskset -cp $$ | sed "s/.*: //") true && echo bound'
    for output in "$all" "$cpuset" "$quota" "$both"; do [[ $output == *bound ]]; done
}

@test "mpstat -P ALL" {
    needs_command mpstat
    each_way 'mpstat -P ALL 1 1 | awk "/^Average/ && \$2 != \"CPU\" { print \$2 }" | xargs'
    [[ $cpuset == "all 1" && $quota == "all 0" && $both == "all 0" ]]
}

@test "psutil and joblib" {
    each_way '/usr/bin/python3 -c "
import psutil, joblib
print(psutil.cpu_count(), psutil.cpu_count(logical=False), len(psutil.cpu_times(percpu=True)))
print(joblib.cpu_count(), joblib.cpu_count(only_physical_cores=True))"'
    [[ $cpuset == "1 1 1"$'\n'* && $quota == "1 1 1"$'\n'* ]]
}
