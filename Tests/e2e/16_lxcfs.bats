# The same cgroup, shown by lxcfs and by lxcfsd side by side: every field is equal, or on the
# list of differences in docs/numbers.md, with the reason. What is on neither fails.
# LXCFS is the lxcfs to compare with, if it is not the installed one (`make vm-lxcfs`).

load helpers
load load

setup_file() {
    make_disk
    start_daemon
}

teardown_file() {
    stop_stock
    stop_daemon
    remove_disk
}

teardown() { cleanup_containers; }

start_stock() {
    mkdir -p "$WORK/stock"
    "${LXCFS:-lxcfs}" -f "$@" -p "$WORK/stock.pid" "$WORK/stock" >>"$WORK/stock.log" 2>&1 </dev/null 3>&- &
    echo $! >"$WORK/stock.daemon"
    disown
    wait_for 10 test -e "$WORK/stock/proc/meminfo" || { cat "$WORK/stock.log" >&2; return 1; }
}

stop_stock() {
    [[ -e $WORK/stock.daemon ]] || return 0
    # Its load thread would take seconds to end.
    kill -KILL "$(cat "$WORK/stock.daemon")" || true
    umount -l "$WORK/stock" 2>/dev/null || true
    rm -f "$WORK/stock.daemon"
}

# Sets MOST to how far two readings at two moments may differ: memory 2 MB, time 0.5 s, load,
# tasks. No output to catch: that would be a process for each field.
tolerance() {
    case $1 in
    meminfo.HugePages*) MOST=0 ;;
    meminfo.* | swaps.used) MOST=2048 ;;
    stat.cpu*) MOST=50 ;;
    stat.ctxt | stat.intr* | stat.softirq*) MOST=1000 ;;
    stat.procs_* | loadavg.running | loadavg.total) MOST=3 ;;
    stat.processes | loadavg.last_pid) MOST=60 ;;
    uptime.*) MOST=50 ;;
    diskstats.*.ms_* | diskstats.*.sectors_*) MOST=200 ;;
    diskstats.*) MOST=20 ;;
    pressure*) MOST=500000 ;;
    *) MOST=0 ;;
    esac
}

# equal KEY BEFORE STOCK AFTER: lxcfsd is read before and after lxcfs, so that it does not
# matter how long that takes.
equal() {
    [[ $2 != "$3" && $4 != "$3" ]] || return 0
    case $1 in loadavg.*min)
        awk -v a="$2" -v b="$3" -v c="$4" 'BEGIN {
            exit !(b >= a - 0.3 && b <= a + 0.3 || b >= c - 0.3 && b <= c + 0.3) }'
        return ;;
    esac
    local number='^[0-9]{1,18}$' low=$2 high=$4
    [[ $2 =~ $number && $3 =~ $number && $4 =~ $number ]] || return 1
    ((low <= high)) || { low=$4 high=$2; }
    tolerance "$1"
    (($3 >= low - MOST && $3 <= high + MOST))
}

# documented NAME: the patterns of the list that are for this cgroup version and test.
documented() {
    local version
    version=$(cgroup_version)
    awk -F'|' -v version="${version/hybrid/v1}" -v name="$1" '
        /^## / { on = $0 == "## Differences from lxcfs" }
        on && $2 ~ /`/ && ($3 ~ version || $3 ~ name || $3 ~ /both/) { gsub(/[` ]/, "", $2); print $2 }' \
        "$REPO/docs/numbers.md"
}

# What is read, with enough going on that fields are not 0 by chance. A heading begins with an
# empty line, for lxcfs 7.0.0 may end /proc/stat without a newline.
SIDE_BY_SIDE='
dd if=/dev/zero of=/disk/f bs=1M count=40 2>/dev/null; sync
dd if=/dev/zero of=/shm/f bs=1M count=20 2>/dev/null
timeout 1 sh -c "while :; do :; done"
show() {
    for f in meminfo swaps uptime stat loadavg diskstats cpuinfo slabinfo; do
        printf "\n== %s\n" $f; cat $1/proc/$f
    done
    for f in cpu io memory; do
        printf "\n== %s\n" pressure/$f; cat $1/proc/pressure/$f 2>/dev/null || echo none
    done
    printf "\n== cpu\n"
    for f in online present possible; do
        echo $f $(cat $1/sys/devices/system/cpu/$f)
    done
    ls $1/sys/devices/system/cpu | grep "^cpu[0-9]"
}
show "" >/disk/before
show /stock >/disk/stock
show "" >/disk/after'

flat() { awk -f "$E2E_DIR/flatten.awk" "$DISK/$1" | sort -u -k 1,1; }

compare() {
    local key before stock after pattern patterns=() unexpected=0 equals=0 differs=0
    mapfile -t patterns < <(documented "$1")
    ((${#patterns[@]} > 10)) || fail "no list of differences in docs/numbers.md"
    while read -r key before stock after; do
        if equal "$key" "$before" "$stock" "$after"; then
            equals=$((equals + 1))
            continue
        fi
        for pattern in "${patterns[@]}"; do
            # shellcheck disable=SC2053 # it is a pattern
            if [[ $key == $pattern ]]; then
                differs=$((differs + 1))
                continue 2
            fi
        done
        echo "$key: $before, $after; lxcfs $stock"
        unexpected=$((unexpected + 1))
    done < <(join -a 1 -a 2 -e missing -o 0,1.2,1.3,2.2 \
        <(join -a 1 -a 2 -e missing -o 0,1.2,2.2 <(flat "$1/before") <(flat "$1/stock")) \
        <(flat "$1/after"))
    echo "$equals equal, $differs documented differences, $unexpected others"
    ((equals > 50 && unexpected == 0))
}

# side_by_side NAME [BUNDLE-OPTION...]
side_by_side() {
    local name=$1
    shift
    make_bundle "$name" "$@" "$SIDE_BY_SIDE"
    mkdir -p "$(bundle_of "$name")/rootfs/stock"
    add_disk "$name"
    set_config "$name" '.mounts += [
        {destination: "/stock", type: "bind", source: $stock, options: ["rbind", "ro"]},
        {destination: "/shm", type: "tmpfs", source: "tmpfs", options: ["size=100m"]}]' \
        --arg stock "$WORK/stock"
    run_container runc "$name"
    compare "$name"
}

@test "a memory limit" {
    needs_command lxcfs
    start_stock -l
    side_by_side memory -m $((256 << 20)) || { stop_stock; return 1; }
    stop_stock
}

@test "a quota of one CPU" {
    needs_command lxcfs
    start_stock -l --enable-cfs
    side_by_side quota -m $((256 << 20)) -q 100000 || { stop_stock; return 1; }
    stop_stock
}

@test "a cpuset" {
    needs_command lxcfs
    needs_cpus 2
    start_stock -l
    side_by_side cpuset -m $((256 << 20)) -c 1 || { stop_stock; return 1; }
    stop_stock
}
