# A load on what a daemon serves, for tests of what nobody may notice.
# shellcheck shell=bash

FLUCTUATING='n=0
    while :; do
        n=$((n + 1)); i=0
        while [ $i -lt $((n % 3 * 5 + 2)) ]; do sleep 1.3 & i=$((i + 1)); done
        wait
    done'

: "${READLOAD:=$REPO/.build/release/readload}"

ask() { "$LXCFSD" "$1" --runtime-dir "$WORK/run" "${@:2}"; }

# start_load NAME: four threads read what container NAME (96 MiB, one CPU) sees, and the
# caller tree from a cgroup with 64 MiB.
start_load() {
    local root proc=()
    root=/proc/$(container_pid "$1")/root
    local file
    for file in meminfo stat uptime loadavg cpuinfo swaps; do proc+=("$root/proc/$file"); done
    make_limited_cgroup "$E2E_CGROUP/reader" $((64 << 20))
    bash -c 'for dir in "${@:2:$1}"; do echo $$ >"$dir/cgroup.procs"; done
        exec "${@:$1+2}"' bash "$(reader_dirs | wc -l)" $(reader_dirs) \
        "$READLOAD" ${LOAD_OPTIONS:-} 4 7200 "${proc[0]}=98304 kB" "${proc[@]:1}" \
        "$root/sys/devices/system/cpu/online=0" \
        "@$WORK/lxcfs/proc/meminfo=65536 kB" "@$WORK/lxcfs/proc/uptime" \
        "@$WORK/lxcfs/proc/stat" \
        >"$WORK/load.txt" 2>&1 </dev/null 3>&- &
    echo $! >"$WORK/load.pid"
    sleep 0.3
}

reader_dirs() {
    local dir
    for dir in $(cgroup_dirs); do [[ -d $dir/reader ]] && echo "$dir/reader"; done
    return 0
}

# Ends the load; prints what it saw, and fails if a read failed or was wrong.
stop_load() {
    local pid
    [[ -e $WORK/load.pid ]] || return 0
    pid=$(cat "$WORK/load.pid")
    rm "$WORK/load.pid"
    kill -TERM "$pid"
    wait "$pid"
}

# check_load LABEL
check_load() {
    local status=0 result
    # It has read to the end of what was done meanwhile.
    is_running "$(cat "$WORK/load.pid")" || { cat "$WORK/load.txt"; fail "no load any more"; }
    stop_load || status=$?
    result=$(tail -n 1 "$WORK/load.txt")
    echo "# $1: $result" >&3
    [[ $status == 0 ]] || { cat "$WORK/load.txt"; tail -n 30 "$WORK/lxcfsd.log"; return 1; }
    ! grep "hangs, it is replaced" "$WORK/lxcfsd.log" || fail "a worker that works was replaced"
    # It must really have read all the time.
    (($(awk '{ print $2 }' <<<"$result") > 100))
}

# Its files change their size all the time: threads come and go, 5 to 15 of them.
prepare_survivor() {
    make_bundle survivor -m $((96 << 20)) -q 100000 "$FLUCTUATING"
    start_container "${RUNTIMES[0]}" survivor
    start_load survivor
}

is_another_worker() {
    local pid
    pid=$(worker_pid)
    [[ -n $pid && $pid != "$1" ]]
}

# is_upgraded COUNT: there have been more workers than that.
is_upgraded() { (($(ask status --json | jq .workers) > $1)); }

# is_program PID FILE: that is the program which the process executes.
is_program() { [[ /proc/$1/exe -ef $2 ]]; }
