# What only shows after a long time: memory, descriptors, threads, mounts and files that grow.
#
# SOAK_LIFECYCLES says how many containers come and go in each runtime, SOAK_READS how many
# times files are read; `make soak` sets them high.

load helpers

setup_file() {
    needs_binaries
    start_daemon
}
teardown_file() { stop_daemon; }
teardown() { cleanup_containers; }

ask() { "$LXCFSD" "$1" --runtime-dir "$WORK/run" "${@:2}"; }

# resident PID: in kB.
resident() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }

# is_flat LABEL FILE: FILE has lines "amount kB of the worker, kB of the keeper". Says what was
# in the beginning and in the end, and the slope, and fails if memory has grown by more than
# 1 MB since the second line (the first one is from before caches were filled).
is_flat() {
    local summary
    summary=$(awk '
        NR == 2 { worker = $2; keeper = $3 }
        NR > 1 { n++; x += $1; y += $2; xx += $1 * $1; xy += $1 * $2 }
        { last_worker = $2; last_keeper = $3; amount = $1 }
        END {
            printf "worker %d -> %d kB, keeper %d -> %d kB, worker %.1f kB per million",
                worker, last_worker, keeper, last_keeper,
                1e6 * (n * xy - x * y) / (n * xx - x * x)
            exit !(n > 2 && last_worker - worker < 1024 && last_keeper - keeper < 1024)
        }' "$2") || { cat "$2"; fail "$1: $summary"; }
    echo "# $1: $summary" >&3
}

note_memory() { echo "$1 $(resident "$(worker_pid)") $(resident "$(daemon_pid)")"; }

# take_stock: prints what a container may leave behind.
take_stock() {
    local worker
    # What was begun before is done then; contents are dropped after 0.1 s, and threads that help
    # end after a second without work.
    ask status >/dev/null
    sleep 2.5
    worker=$(worker_pid)
    echo "mounts $(wc -l </proc/self/mountinfo)
threads $(ls "/proc/$worker/task" "/proc/$(daemon_pid)/task" | wc -l)
descriptors $(ls "/proc/$worker/fd" "/proc/$(daemon_pid)/fd" | wc -l)
open files $(ask status --json | jq .openFiles)
states $(ls "$WORK/run/containers" | wc -l)
cgroups $(cgroup_dirs | xargs -I {} find {} -type d | wc -l)
served $(ask list --json | jq length)"
}

lives() {
    local runtime=$1 count=$2 step i before bundle state
    make_bundle "life-$runtime" 'cat /proc/meminfo /proc/uptime /proc/loadavg >/dev/null'
    bundle=$(bundle_of "life-$runtime")
    state=$WORK/runtime-state/$runtime
    mkdir -p "$state"
    # One namespace for all, in which a shell starts them one after the other.
    run_many() {
        in_runtime_ns "$runtime" bash -c '
            for ((i = 0; i < $4; i++)); do
                "$1" --root "$2" run --bundle "$3" "life-$1-$5-$i" </dev/null || exit 1
            done' bash "$runtime" "$state" "$bundle" "$1" "$2" 3>&-
    }
    run_many 10 warm
    take_stock >"$WORK/before"
    note_memory 0 >"$WORK/memory"
    step=$((count / 10))
    for ((i = 1; i <= 10; i++)); do
        run_many "$step" "$i"
        note_memory $((i * step)) >>"$WORK/memory"
    done
    take_stock >"$WORK/after"
    diff "$WORK/before" "$WORK/after"
    is_flat "$runtime, $((step * 10)) containers" "$WORK/memory"
    echo "# $(tr '\n' ' ' <"$WORK/after")" >&3
}

@test "containers come and go: nothing is left over, and memory does not grow" {
    for_each_runtime lives "${SOAK_LIFECYCLES:-$(repeats 100)}"
}

@test "reads leave nothing behind, and memory does not grow" {
    local reads=${SOAK_READS:-$(repeats 200000)} root i file step
    command -v gcc >/dev/null || skip "needs gcc"
    gcc -O2 -pthread -o "$WORK/reader" "$REPO/Tests/bench/reader.c"
    make_bundle read -m $((96 << 20)) -q 50000
    start_container "${RUNTIMES[0]}" read
    root=/proc/$(container_pid read)/root
    # Most of them where a read costs little, each twentieth where it is a request and more.
    read_all() {
        for file in meminfo stat uptime loadavg cpuinfo diskstats swaps; do
            "$WORK/reader" -s 600 -w 0 -t 2 -n $(($1 * 19 / 20 / 14)) "$root/proc/$file"
            "$WORK/reader" -s 600 -w 0 -t 2 -n $(($1 / 20 / 14)) "$WORK/lxcfs/proc/$file"
        done >>"$WORK/reader.log"
    }
    # What is kept open is so after the first ones.
    read_all 1000
    take_stock >"$WORK/before"
    note_memory 0 >"$WORK/memory"
    step=$((reads / 10))
    for ((i = 1; i <= 10; i++)); do
        read_all "$step"
        note_memory $((i * step)) >>"$WORK/memory"
    done
    take_stock >"$WORK/after"
    diff "$WORK/before" "$WORK/after"
    (($(awk '{ sum += $1 } END { print sum }' "$WORK/reader.log") > reads * 9 / 10))
    is_flat "$reads reads" "$WORK/memory"
}
