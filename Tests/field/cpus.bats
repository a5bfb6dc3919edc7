# Programs that show CPUs or bind to them, with a cpuset, with a quota, and with both.

load ../e2e/helpers
load ../e2e/cpus
load java

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }
teardown() { cleanup_containers; }

# each_way COMMAND: runs it in five ways; its output is in $all, $cpuset, $quota, $both, and
# $answered, which is the quota with --affinity.
each_way() {
    needs_cpus 2
    in_cpus way-all -m 0 "$1" && all=$output
    in_cpus way-cpuset -m 0 -c 1 "$1" && cpuset=$output
    in_cpus way-quota -m 0 -q 100000 "$1" && quota=$output
    in_cpus way-both -m 0 -c 0-1 -q 50000 "$1" && both=$output
    prepared=${PREPARE:-} PREPARE=answer
    in_cpus way-answered -m 0 -q 100000 "$1" && answered=$output
    PREPARE=$prepared
    printf '%s\n' "--- all" "$all" "--- cpuset 1" "$cpuset" "--- quota 1" "$quota" \
        "--- cpuset 0-1, quota 0.5" "$both" "--- quota 1, --affinity" "$answered"
}

# answer NAME: after what PREPARE was.
answer() {
    local config
    [[ -z $prepared ]] || "$prepared" "$1"
    config=$(bundle_of "$1")/config.json
    "$LXCFS_HOOK" precreate --no-syslog --runtime-dir "$WORK/run" --affinity \
        <"$config" >"$config.new" && mv "$config.new" "$config"
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

# counts ALL CPUSET QUOTA BOTH ANSWERED: what the five ways have said.
counts() {
    [[ $all == "$1" && $cpuset == "$2" && $quota == "$3" && $both == "$4" && $answered == "$5" ]]
}

# --- Language runtimes. ---

@test "Go" {
    needs_program cpus-go
    local n
    n=$(online_cpus)
    each_way cpus-go
    counts "cpus $n procs $n" "cpus 1 procs 1" "cpus $n procs $n" "cpus 2 procs 2" \
        "cpus 1 procs 1"
}

# os.cpus() is made of stat and cpuinfo: as many as there are lines, each with its model and times.
@test "Node" {
    needs_command node
    local n
    n=$(online_cpus)
    each_way 'node -p "const c = os.cpus(); [c.length, os.availableParallelism(),
        c.every(x => x.model.length > 4 && x.times.idle + x.times.user > 0)].join(\" \")"'
    counts "$n $n true" "1 1 true" "1 $n true" "1 2 true" "1 1 true"
}

with_java() {
    set_config "$1" ". $(java_mounts)"
    add_java "$1"
}

# By itself it knows quotas; without that it counts the affinity. Its log has the files.
@test "Java" {
    local n PREPARE=with_java lists
    n=$(online_cpus)
    [[ -n $(java_home) ]]
    each_way '/jdk/bin/java -cp /classes Says cpus | cut -d " " -f 2
        /jdk/bin/java -XX:-UseContainerSupport -cp /classes Says cpus | cut -d " " -f 2
        /jdk/bin/java -Xlog:os+cpu -version 2>&1 | grep -ao "\(initial active\|ine cpus:\) [0-9,-]*"'
    [[ $cpuset == $'1\n1\ninitial active 1\nine cpus: 1\nine cpus: '* ]]
    [[ $quota == $'1\n'"$n"$'\ninitial active 1\nine cpus: 0\nine cpus: '* ]]
    [[ $both == $'1\n2\ninitial active 1\nine cpus: 0\nine cpus: '* ]]
    [[ $all == "$n"$'\n'"$n"$'\n'* ]]
    [[ $answered == $'1\n1\n'* ]]
}

# --- Numbers. ---

# The libraries that numpy means are links there.
with_alternatives() {
    set_config "$1" '.mounts += [{destination: "/etc/alternatives", type: "bind",
        source: "/etc/alternatives", options: ["rbind", "ro"]}]'
}

@test "numpy with OpenBLAS" {
    local n PREPARE=with_alternatives
    n=$(online_cpus)
    /usr/bin/python3 -c 'import numpy' || skip "needs python3-numpy"
    each_way '/usr/bin/python3 -c "
import ctypes, numpy, os
lib = ctypes.CDLL(\"libopenblas.so.0\")
a = numpy.random.rand(600, 600)
b = a @ a
right = numpy.allclose(b[7], [sum(a[7] * a[:, i]) for i in range(600)])
print(lib.openblas_get_num_threads(), len(os.listdir(\"/proc/self/task\")), right)"'
    counts "$n $n True" "1 1 True" "$n $n True" "2 2 True" "1 1 True"
}

MKL=$REPO/.build/field/mkl

with_mkl() {
    set_config "$1" '.mounts += [{destination: "/mkl", type: "bind", source: $mkl,
        options: ["rbind", "ro"]}] | .process.env += ["LD_LIBRARY_PATH=/mkl"]' --arg mkl "$MKL"
}

@test "MKL" {
    [[ -e $MKL/libmkl_rt.so ]] || skip "needs mkl of PyPI"
    local n PREPARE=with_mkl
    n=$(online_cpus)
    each_way '/usr/bin/python3 -c "
import ctypes, os
mkl = ctypes.CDLL(\"libmkl_rt.so\")
n = 400
Matrix = ctypes.c_double * (n * n)
a, b, c = Matrix(*[i % 7 for i in range(n * n)]), Matrix(*[i % 5 for i in range(n * n)]), Matrix()
one = ctypes.c_double(1)
mkl.cblas_dgemm(101, 111, 111, n, n, n, one, a, n, b, n, ctypes.c_double(0), c, n)
right = all(c[i] == sum(a[k] * b[k * n + i] for k in range(n)) for i in range(n))
print(mkl.mkl_get_max_threads(), right)" 2>&1
        KMP_AFFINITY=verbose,compact openmp-intel 2>&1 | grep -E "available to|^threads"'
    # Its own count is one of cores, from cpuinfo; OpenMP's that of the affinity.
    [[ $all == [1-9]*" True"* && $cpuset == "1 True"* && $quota == "1 True"* && $both == "1 True"* ]]
    [[ $answered == "1 True"*"threads 1 "* ]]
    [[ $cpuset == *"threads 1 "*" cpus 1" && $quota == *"threads $n "* ]]
}

@test "OpenMP of Intel" {
    [[ -e $MKL/libiomp5.so ]] || skip "needs intel-openmp of PyPI"
    PREPARE=with_mkl openmp_everywhere openmp-intel
}

# An arena for each CPU only where all ways to count agree, as with any CPU offline; else others.
@test "jemalloc with an arena for each CPU" {
    [[ -n $(ldconfig -p | grep libjemalloc.so.2) ]] || skip "needs libjemalloc2"
    each_way 'LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=percpu_arena:percpu,stats_print:true \
        /usr/bin/python3 -c "
import threading
def work(): return [bytes(1000 + i % 7000) for i in range(5000)]
threads = [threading.Thread(target=work) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(42)" 2>&1 | grep -oE "^42|opt.percpu_arena: .*" | xargs; echo $?'
    counts $'42 opt.percpu_arena: percpu\n0' $'42 opt.percpu_arena: disabled\n0' \
        $'42 opt.percpu_arena: disabled\n0' $'42 opt.percpu_arena: disabled\n0' \
        $'42 opt.percpu_arena: disabled\n0'
}

# --- Servers and screens. ---

NGINX='mkdir -p /tmp/n /var/lib/nginx /var/log/nginx; echo root:x:0: >/etc/group
cat >/tmp/n/conf <<END
user root; worker_processes auto; worker_cpu_affinity auto; pid /tmp/n/pid;
error_log /tmp/n/log notice;
events { worker_connections 16; }
http { access_log off; server { listen 127.0.0.1:8099; return 200 "ok\n"; } }
END
nginx -c /tmp/n/conf -p /tmp/n/ -e /tmp/n/log
for i in 1 2 3 4 5 6 7 8 9 10; do
    busybox wget -q -O - http://127.0.0.1:8099/ && break; sleep 0.2
done
for p in $(pgrep -P $(cat /tmp/n/pid)); do taskset -cp $p | sed "s/.*: //"; done
grep -c "sched_setaffinity.. failed" /tmp/n/log
kill $(cat /tmp/n/pid)'

with_capabilities() {
    set_config "$1" '.process.capabilities |= map_values(. + ["CAP_SETUID", "CAP_SETGID"] | unique)'
}

# nginx pins to the CPUs 0 to n - 1, whatever the affinity is: with a cpuset that does not begin
# with 0 the kernel refuses, with the hook and without, and the worker runs where it may.
@test "nginx worker_cpu_affinity auto" {
    needs_command nginx
    local PREPARE=with_capabilities n
    n=$(online_cpus)
    each_way "$NGINX"
    [[ $(wc -l <<<"$all") == $((n + 2)) && ${all##*$'\n'} == 0 ]]
    counts "$all" $'ok\n1\n1' $'ok\n0\n0' $'ok\n0\n0' $'ok\n0\n0'
    in_cpus way-bare -n -m 0 -c 1 "$NGINX"
    [[ ${lines[-1]} == 1 ]] || fail "$output"
}

# The others are there, and offline.
@test "htop" {
    needs_command htop
    local n
    n=$(online_cpus)
    each_way '(sleep 2; printf q; sleep 1) | TERM=xterm HOME=/tmp timeout 20 script -qec \
        "stty rows 12 cols 90; htop --no-color --no-unicode" /dev/null |
        sed "s/\x1b\[[?0-9;]*[A-Za-z]/ /g" | head -c 4000 | grep -ao "offline" | wc -l'
    counts 0 $((n - 1)) $((n - 1)) $((n - 1)) $((n - 1))
}
