# What operators see: metrics, top, list, status, the log, messages; and lxcfs's options.

load helpers

setup_file() { needs_binaries; }

teardown() {
    local file
    for file in other.pid stock.pid; do
        [[ ! -e $WORK/$file ]] || stop_process "$(cat "$WORK/$file")" 10 ||
            kill -KILL "$(cat "$WORK/$file")" 2>/dev/null || true
        rm -f "$WORK/$file"
    done
    ! mountpoint -q "$WORK/stock" || umount -l "$WORK/stock"
    ! mountpoint -q "$WORK/other" || umount -l "$WORK/other"
    cleanup_containers
    stop_daemon
    rm -rf "$WORK/run" "$WORK/lxcfsd.log"
}

ask() { "$LXCFSD" "$1" --runtime-dir "$WORK/run" "${@:2}"; }

# samples NAME [LABELS]: values of a metric in $WORK/samples.
samples() {
    awk -v name="$1" -v labels="${2:-}" '$1 == name && index($0, labels) { print $NF }' "$WORK/samples"
}

# metrics [OPTION...]: into $WORK/samples, as Prometheus's own parsers read them.
metrics() {
    /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null || skip "needs python3-prometheus-client"
    ask metrics "$@" >"$WORK/metrics"
    /usr/bin/python3 "$E2E_DIR/openmetrics.py" "$WORK/metrics" >"$WORK/samples"
}

# inside NAME SCRIPT: with the container's files, but none of its limits.
inside() {
    nsenter --mount --target "$(container_pid "$1")" /bin/env PATH=/bin sh -c "$2"
}

kilobytes() { inside "$1" "cat /proc/meminfo" | awk -v key="$2:" '$1 == key { print $2 }'; }

# near NUMBER OTHER MOST
near() {
    awk -v a="$1" -v b="$2" -v most="$3" 'BEGIN { exit !(a - b <= most && b - a <= most) }' ||
        fail "$1 is not $2"
}

start() {
    make_bundle "$1" "${@:2}"
    start_container "${RUNTIMES[0]}" "$1"
}

LONG=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

@test "metrics are OpenMetrics, are what containers see, and those of the document" {
    start_daemon
    start "$LONG" -m $((64 << 20)) -q 150000
    start web -m $((96 << 20))
    inside web 'cat /proc/loadavg /proc/stat' >/dev/null
    metrics --containers 1000
    [[ $(samples lxcfsd_up) == 1.0 || $(samples lxcfsd_up) == 1 ]]
    near "$(samples lxcfsd_containers)" 2 0
    near "$(samples lxcfsd_containers_left_out)" 0 0
    near "$(samples lxcfsd_worker_deaths_total)" 0 0
    (($(samples lxcfsd_requests_total '"getattr"' | cut -d. -f1) > 0))
    near "$(samples lxcfsd_process_resident_memory_bytes worker)" \
        "$(awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$(worker_pid)/status")" $((4 << 20))
    near "$(samples lxcfsd_process_max_fds keeper)" \
        "$(awk '/^Max open files/ { print $4 }' "/proc/$(daemon_pid)/limits")" 0
    # The container's own words.
    near "$(samples lxcfsd_container_memory_bytes web)" $((96 << 20)) 0
    near "$(samples lxcfsd_container_memory_available_bytes web)" \
        "$(($(kilobytes web MemAvailable) * 1024))" $((1 << 20))
    near "$(samples lxcfsd_container_uptime_seconds web)" \
        "$(inside web 'cat /proc/uptime' | cut -d' ' -f1)" 2
    near "$(samples lxcfsd_container_load '"1"')" "$(inside web 'cut -d" " -f1 /proc/loadavg')" 0.3
    near "$(samples lxcfsd_container_tasks web)" "$(inside web 'cut -d" " -f4 /proc/loadavg' | cut -d/ -f2)" 0
    near "$(samples lxcfsd_container_cpu_seconds_total web)" \
        "$(inside web 'cat /proc/stat' | awk '$1 == "cpu" { print ($2 + $3 + $4) / 100 }')" 0.5
    near "$(samples lxcfsd_container_cpu_quota "${LONG:0:12}")" 1.5 0
    near "$(samples lxcfsd_container_cpus web)" "$(inside web 'grep -c ^processor /proc/cpuinfo')" 0
    # Of the other one nobody has read the load: it costs nothing.
    [[ -z $(samples lxcfsd_container_load "${LONG:0:12}") ]]
    # All that is there is documented, with type and unit; unit tests look the other way round.
    cut -d' ' -f1-3 "$WORK/samples" | sort -u | while read -r name type unit; do
        grep -qE "^\| .$name. \| $type \| ${unit#-} *\|" "$REPO/docs/operations.md" ||
            fail "$name $type $unit is not documented"
    done
    # Bounded, those that were started first.
    metrics --containers 1
    near "$(samples lxcfsd_containers_left_out)" 1 0
    [[ -n $(samples lxcfsd_container_cpus "${LONG:0:12}") && -z $(samples lxcfsd_container_cpus web) ]]
    # A worker that dies, an upgrade.
    kill -KILL "$(worker_pid)"
    died() { [[ $(ask status --json | jq .workerDeaths) == 1 ]]; }
    wait_for 5 died
    kill -HUP "$(daemon_pid)"
    upgraded() { [[ $(ask status --json | jq .upgrades) == 1 ]]; }
    wait_for 10 upgraded
    metrics
    near "$(samples lxcfsd_worker_deaths_total)" 1 0
    near "$(samples lxcfsd_upgrades_total)" 1 0
    [[ $(ask status) == *"1 died; upgrades: 1"* ]]
}

@test "metrics --output replaces a file as a whole, for everybody to read, also when the daemon is away" {
    start_daemon
    mkdir "$WORK/textfiles"
    (umask 077 && ask metrics --output "$WORK/textfiles/lxcfsd.prom")
    [[ $(stat -c %a "$WORK/textfiles/lxcfsd.prom") == 644 ]]
    [[ $(tail -n 1 "$WORK/textfiles/lxcfsd.prom") == "# EOF" ]]
    local inode
    inode=$(stat -c %i "$WORK/textfiles/lxcfsd.prom")
    exec 9<"$WORK/textfiles/lxcfsd.prom"
    ask metrics --output "$WORK/textfiles/lxcfsd.prom"
    [[ $(stat -c %i "$WORK/textfiles/lxcfsd.prom") != "$inode" ]]
    # Who reads the old one goes on doing so.
    [[ $(tail -n 1 <&9) == "# EOF" ]]
    exec 9<&-
    [[ $(ls "$WORK/textfiles") == lxcfsd.prom ]]
    stop_daemon
    ask metrics --output "$WORK/textfiles/lxcfsd.prom"
    [[ $(grep -v '^#' "$WORK/textfiles/lxcfsd.prom") == "lxcfsd_up 0" ]]
    # What is no file stays what it is, and nothing is left beside it.
    mkfifo "$WORK/textfiles/pipe"
    run -1 ask metrics --output "$WORK/textfiles/pipe"
    [[ $output == *"is no regular file"* && -p $WORK/textfiles/pipe ]]
    run -1 ask metrics --output "$WORK/nowhere/lxcfsd.prom"
    [[ $output == "lxcfsd: error: cannot open $WORK/nowhere/lxcfsd.prom"*": No such file or directory" ]]
    [[ $(cd "$WORK/textfiles" && echo *) == "lxcfsd.prom pipe" ]]
    rm -r "$WORK/textfiles"
}

# column NAME NUMBER: a cell of the row of a container in $WORK/top, whose second line has headings.
column() {
    awk -v name="$1" -v title="$2" 'NR == 2 { for (i = 1; i <= NF; i++) if ($i == title) at = i }
        NR > 2 && $1 == name { print $at }' "$WORK/top"
}

@test "top shows what containers see themselves, as plain text where there is no terminal" {
    start_daemon
    make_bundle busy -m $((64 << 20)) -q 50000 'while :; do :; done'
    start_container "${RUNTIMES[0]}" busy
    start "$LONG" -m $((96 << 20)) -q 100000
    ask top -b >"$WORK/top"
    cat "$WORK/top"
    [[ $(head -n 1 "$WORK/top") == "lxcfsd "*"; 2 containers; by cpu" ]]
    # The busy one first: it has all of its quota, as far as this machine lets it.
    [[ $(sed -n 3p "$WORK/top") == "busy "* ]]
    awk -v busy="$(column busy CPU%)" -v idle="$(column "${LONG:0:12}" CPU%)" \
        'BEGIN { exit !(busy > 20 && busy < 130 && idle < 20) }'
    [[ $(column busy CPUS) == 0.5 && $(column "${LONG:0:12}" CPUS) == 1 ]]
    [[ $(column busy MEM) == 64M && $(column "${LONG:0:12}" MEM) == 96M ]]
    local used
    used=$((($(kilobytes busy MemTotal) - $(kilobytes busy MemAvailable)) >> 10))
    near "$(column busy USED | sed 's/[0-9]*K/0M/; s/M//')" "$used" 1
    # Kept from the first look on, as if the container had read it.
    near "$(column busy LOAD)" "$(inside busy 'cut -d" " -f1 /proc/loadavg')" 0.3
    local pressure
    if pressure=$(inside busy 'cat /proc/pressure/cpu' 2>/dev/null); then
        near "$(column busy P-CPU%)" "$(sed -n 's/^some avg10=\([0-9.]*\).*/\1/p' <<<"$pressure")" 30
    else
        [[ $(column busy P-CPU%) != *[0-9]* ]]
    fi
    # Whole ids, another order, more than one table.
    ask top -b --no-trunc --sort memory -n 2 -d 0.2 >"$WORK/top"
    [[ $(grep -c "^$LONG " "$WORK/top") == 2 && $(grep -c '; by memory$' "$WORK/top") == 2 ]]
    # In a pipe without -b, too; and nobody who reads it is no error.
    [[ $(ask top -d 0.2 | wc -l) == 4 ]]
    ask top -n 0 -d 0.1 | head -n 1 >"$WORK/top"
    [[ ${PIPESTATUS[0]} == 0 || ${PIPESTATUS[0]} == 141 ]]
    run -64 ask top --delay 0
    [[ ${lines[0]} == "lxcfsd: error: --delay takes 0.1 to 3600 seconds" ]]
}

@test "top on a terminal leaves it as it was, however it ends" {
    needs_command python3
    start_daemon
    start web
    local end
    for end in q INT TERM QUIT HUP close; do
        python3 "$E2E_DIR/top_terminal.py" "$end" "$LXCFSD" "$WORK/run"
    done
}

@test "a thousand containers: the daemon answers some at a time, and top costs little" {
    needs_command python3
    start_daemon
    start real
    python3 - "$WORK/run/control.sock" "$(container_pid real)" <<'PY'
import json, socket, sys
path, pid = sys.argv[1], int(sys.argv[2])
def ask(**request):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(s.makefile().readline())
for number in range(1, 1000):
    # What a terminal would obey, and may be in an id.
    name = f"many-{number}" if number > 1 else "\u009b31mred\u202e"
    assert ask(op="register", id=name, pid=pid).get("path")
found, after = [], 0
while after is not None:
    answer = ask(op="usage", after=after)
    assert 0 < len(answer["usage"]) <= 64, len(answer["usage"])
    found += [usage["id"] for usage in answer["usage"]]
    after = answer.get("next")
assert len(found) == len(set(found)) == 1000, len(found)
assert ask(op="usage", after=4_000_000_000)["usage"] == []
PY
    ask top -b -d 0.5 >"$WORK/top"
    [[ $(wc -l <"$WORK/top") == 1002 ]]
    # No control character from outside comes through, in any command.
    local command
    for command in top list "list --no-trunc" metrics\ --containers\ 2000; do
        # shellcheck disable=SC2086 # words
        ask $command >"$WORK/text"
        ! LC_ALL=C grep -qP '[\x01-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$WORK/text" ||
            fail "$command passes controls on"
        grep -q 'many-999' "$WORK/text" && grep -qF '%C2%9B31mred%E2%80%AE' "$WORK/text"
    done
    # CPU time of the worker for ten looks at all of them, in ticks of 10 ms.
    local before after
    before=$(awk '{ print $14 + $15 }' "/proc/$(worker_pid)/stat")
    ask top -b -n 10 -d 0.1 >"$WORK/top"
    after=$(awk '{ print $14 + $15 }' "/proc/$(worker_pid)/stat")
    echo "# worker, a look at 1,000 containers: $((after - before)) ms of CPU" >&3
    ((after - before < 1000))
}

@test "list and status: short ids for people, whole ones for programs" {
    start_daemon
    start "$LONG"
    run -0 ask list
    [[ ${lines[1]} == "${LONG:0:12} "* && $output != *"$LONG"* ]]
    [[ $output == *"$E2E_CGROUP/${LONG:0:12}*"* ]]
    run -0 ask list --no-trunc
    [[ ${lines[1]} == "$LONG "*"$E2E_CGROUP/$LONG" ]]
    ask list --json | jq -e --arg id "$LONG" '
        type == "array" and .[0].id == $id and (.[0].cgroup | endswith($id))'
    ask status --json | jq -e '.schema == 1 and .workerDeaths == 0 and .upgrades == 0'
    # Every key is documented; unit tests look at types, and the other way round.
    { ask status --json | jq -r 'keys[]'; ask list --json | jq -r '.[0] | keys[]'; } | while read -r key; do
        grep -q "^| .$key. | [a-z]* | " "$REPO/docs/operations.md" || fail "$key is not documented"
    done
    # The name of a cgroup may have anything in it.
    make_bundle evil
    # shellcheck disable=SC2016 # jq's
    set_config evil '.linux.cgroupsPath += $name' --arg name $'-\e[31m\u202e\\'
    start_container "${RUNTIMES[0]}" evil
    run -0 ask list
    [[ $output == *'evil-\u{1b}[31m\u{202e}\\'* && $output != *$'\e'* && $output != *$'\u202e'* ]]
    ask list --json | jq -e --arg name $'-\e[31m\u202e\\' 'any(.[]; .cgroup | endswith($name))'
    run -0 ask status
    [[ $output == *"worker "*"process "*"; of those before it, 0 died; upgrades: 0"* ]]
    [[ $output == *"system calls "*" answered, "*" left to the kernel"* ]]
}

@test "a daemon of release 0.1.0: top says what to do, list and status work" {
    local release
    release=$(find "$REPO/.build/releases" -maxdepth 2 -name lxcfsd 2>/dev/null | head -n 1)
    [[ -x $release ]] || skip "needs the binary of a release (make releases)"
    start_fuse "$release" --runtime-dir "$WORK/run" "$WORK/lxcfs"
    run -1 ask top -b
    [[ $output == "lxcfsd: error: the lxcfsd that runs is an older one (0.1.0), "*"systemctl reload lxcfsd"* ]]
    run -0 ask list
    run -0 ask status
    run -0 ask metrics
    [[ $output == *"lxcfsd_up 1"* && $output != *worker_deaths* ]]
}

@test "the journal gets priorities and no second time; a file gets lines as before" {
    mkdir -p "$WORK/lxcfs" "$WORK/run"
    : >"$WORK/journal"
    local stream
    stream=$(stat -c '%d:%i' "$WORK/journal")
    JOURNAL_STREAM=$stream "$LXCFSD" --runtime-dir "$WORK/run" -d "$WORK/lxcfs" \
        2>>"$WORK/journal" >/dev/null </dev/null 3>&- &
    echo $! >"$WORK/daemon.pid"
    wait_for 5 cat "$WORK/lxcfs/proc/meminfo"
    start web
    kill -KILL "$(worker_pid)"
    wait_for 5 grep -q "was killed by signal 9" "$WORK/journal"
    wait_for 5 inside web 'cat /proc/meminfo'
    delete_container "${RUNTIMES[0]}" web
    stop_daemon
    cat "$WORK/journal"
    ! grep -vE '^<[3-7]>[^0-9<]' "$WORK/journal" || fail "these lines are not as they should be"
    grep -qxE '<6>serving .*' "$WORK/journal"
    grep -qxE '<3>worker [0-9]+ was killed by signal 9' "$WORK/journal"
    # One line for a container that comes, one for one that goes.
    [[ $(grep -c '<7>registered web' "$WORK/journal") == 1 && $(grep -c '<7>dropped web' "$WORK/journal") == 1 ]]
    grep -qx '<6>restored 1 container' "$WORK/journal"
    run ! grep -q 'restored 0' "$WORK/journal"
    # The variable is inherited, and standard error is another one.
    JOURNAL_STREAM=1:2 start_daemon
    start web
    delete_container "${RUNTIMES[0]}" web
    stop_daemon
    run ! grep -vE '^20[0-9-]+T[0-9:]+[+-][0-9]+ [a-z]+ lxcfsd: ' "$WORK/lxcfsd.log"
    ! grep -q 'registered web' "$WORK/lxcfsd.log" || fail "containers are told at level info"
    run ! grep -q 'restored 0' "$WORK/lxcfsd.log"
}

# refused OPTION...: what the daemon says when it does not start, without the time.
refused() {
    run -1 timeout 20 "$@"
    sed -n 's/^20[^ ]* error lxcfsd: \[[^]]*\] //p' <<<"$output"
}

@test "a second daemon, a mountpoint that is taken, a file: who, and what to do" {
    start_daemon
    local text
    text=$(refused "$LXCFSD" --runtime-dir "$WORK/run" "$WORK/other")
    [[ $text == "lxcfsd runs already (pid $(daemon_pid), mountpoint $WORK/lxcfs) and holds $WORK/run; another one needs a --runtime-dir of its own" ]] || fail "$text"
    # With a pid file of its own it would take the same directory from the one that runs.
    text=$(refused "$LXCFSD" --runtime-dir "$WORK/run" -p "$WORK/other.lock" "$WORK/other")
    [[ $text == "lxcfsd runs already (pid $(daemon_pid), mountpoint $WORK/lxcfs) and holds $WORK/run; another one needs a --runtime-dir of its own" ]] || fail "$text"
    text=$(refused "$LXCFSD" --runtime-dir "$WORK/other-run" "$WORK/lxcfs")
    [[ $text == "$WORK/lxcfs is served by another lxcfsd: stop that, or choose another mountpoint" ]] || fail "$text"
    if command -v lxcfs >/dev/null; then
        mkdir -p "$WORK/stock"
        lxcfs -f -p "$WORK/stock.lock" "$WORK/stock" >/dev/null 2>&1 </dev/null 3>&- &
        echo $! >"$WORK/stock.pid"
        wait_for 10 test -e "$WORK/stock/proc/meminfo"
        text=$(refused "$LXCFSD" --runtime-dir "$WORK/other-run" "$WORK/stock")
        [[ $text == "$WORK/stock is served by lxcfs (fuse.lxcfs): systemctl disable --now lxcfs, or choose another mountpoint" ]] || fail "$text"
    fi
    touch "$WORK/file"
    text=$(refused "$LXCFSD" --runtime-dir "$WORK/other-run" "$WORK/file")
    [[ $text == "$WORK/file is not a directory" ]] || fail "$text"
    text=$(refused "$LXCFSD" --runtime-dir "$WORK/other-run" -o bogus_opt "$WORK/other")
    [[ $text == "cannot mount on $WORK/other: cannot set mount option bogus_opt: Invalid argument" ]] || fail "$text"
    # The one that runs has noticed nothing.
    grep -q MemTotal "$WORK/lxcfs/proc/meminfo"
}

@test "no root, no /dev/fuse, an old kernel, no cgroups: what is missing" {
    needs_command strace
    local text call
    # Where a user can execute it.
    install -m 755 "$LXCFSD" "$BATS_RUN_TMPDIR/lxcfsd-for-users"
    chmod a+x "$BATS_RUN_TMPDIR"
    run -1 setpriv --reuid 65534 --regid 65534 --clear-groups "$BATS_RUN_TMPDIR/lxcfsd-for-users" /mnt/x
    rm -f "$BATS_RUN_TMPDIR/lxcfsd-for-users"
    [[ $output == *" lxcfsd needs root: "* ]]
    text=$(refused strace -f -qq -o /dev/null -P /dev/fuse -e inject=openat:error=ENOENT \
        "$LXCFSD" --runtime-dir "$WORK/run" "$WORK/other")
    [[ $text == "cannot open /dev/fuse: No such file or directory (modprobe fuse; "* ]] || fail "$text"
    for call in fsopen fsmount move_mount; do
        text=$(refused strace -f -qq -o /dev/null -e inject=$call:error=ENOSYS \
            "$LXCFSD" --runtime-dir "$WORK/run" "$WORK/other")
        [[ $text == "cannot "*": Function not implemented; this kernel is too old, or something forbids the call: Linux 5.12 or newer is needed" ]] ||
            fail "$call: $text"
    done
    mkdir -p "$WORK/other" "$WORK/run"
    # shellcheck disable=SC2016
    unshare -m --propagation private sh -c '
        umount -l -R /sys/fs/cgroup && exec "$@"' sh \
        "$LXCFSD" --runtime-dir "$WORK/run" "$WORK/other" >"$WORK/text" 2>&1 </dev/null 3>&- &
    echo $! >"$WORK/other.pid"
    wait_for 10 grep -q 'serving ' "$WORK/text"
    cat "$WORK/text"
    grep -q ' warning lxcfsd: .*no cgroups are mounted here: containers are shown the host' "$WORK/text"
}

@test "a command line that is wrong: what, in the way of lxcfs-hook" {
    run -64 "$LXCFSD" lsit
    [[ ${lines[0]} == 'lxcfsd: error: the mountpoint must be an absolute path, and is "lsit"; subcommands are list, status, top, metrics and serve' ]]
    run -64 "$LXCFSD" --bogus
    [[ ${lines[0]} == "lxcfsd: error: Unknown option '--bogus'" ]]
    run -64 "$LXCFSD" list --bogus
    [[ ${lines[0]} == "lxcfsd: error: Unknown option '--bogus'"* ]]
    run -64 "$LXCFSD" worker
    [[ $output == 'lxcfsd: error: "lxcfsd worker" is for the daemon itself'* ]]
    run -0 "$LXCFSD" --help
    [[ $output == *"lxcfsd [<options>] [<mountpoint>]"* && $output == *metrics* && $output == *top* ]]
    run -2 "$LXCFS_HOOK" --bogus
    [[ ${lines[0]} == "lxcfs-hook: error: "* ]]
    run -1 ask list
    [[ $output == "lxcfsd: error: the daemon is not running: "* ]]
}

# serves_with OPTION...: the daemon starts with these, serves, and ends.
serves_with() {
    start_daemon "$@" || fail "with $*"
    grep -q MemTotal "$WORK/lxcfs/proc/meminfo"
    stop_daemon
}

@test "each option of lxcfs, as docs/lxc.md has it" {
    local option form
    # One start for those that change nothing that can be seen, in forms that getopt(3) takes.
    local accepted=(-d --debug -f --foreground -l --enable-loadavg -s --disable-zswap --enable-cfs
        --enable-pidfd --enable-cgroup --enable-psi-poll)
    serves_with "${accepted[@]}"
    serves_with -fdls
    # Each row of the table is here or below, so that none is promised and not tried.
    local seen=("${accepted[@]}" -n -h --help -o -p --pidfile -u --disable-swap -v --version --runtime-dir DIRECTORY)
    # shellcheck disable=SC2016 # no command
    sed -n '/^## Options/,/^## Paths/p' "$REPO/docs/lxc.md" | grep '^| `' | cut -d'|' -f2 |
        grep -oE '`[^`]+`' | tr -d '`' | while read -r option; do
        form=${option%%[= ]*}
        [[ " ${seen[*]} " == *" $form "* ]] || fail "$option is not tried"
    done
    for option in -v --version; do [[ $("$LXCFSD" $option) == "lxcfsd "[0-9]*.*.* ]]; done
    [[ $("$LXCFSD" serve -v) == "lxcfsd "[0-9]* ]]
    for option in -n -h --help; do [[ $("$LXCFSD" $option) == *USAGE:* ]]; done
    serves_with -o allow_other,direct_io -o entry_timeout=0.5,attr_timeout=0.5,nonempty
    serves_with -oallow_other
    for option in -p -p= --pidfile --pidfile=; do
        # Joined, or the next word.
        local words=("$option" "$WORK/own.pid")
        if [[ $option == *= ]]; then words=("${option/#-p=/-p}$WORK/own.pid"); fi
        start_daemon "${words[@]}"
        [[ $(<"$WORK/own.pid") == "$(daemon_pid)" && ! -e $WORK/run/lxcfsd.pid ]]
        stop_daemon
    done
    for option in -u --disable-swap; do
        start_daemon $option
        start swapless -m $((64 << 20))
        [[ $(kilobytes swapless SwapTotal) == 0 ]]
        delete_container "${RUNTIMES[0]}" swapless
        stop_daemon
    done
    # What lxcfs means by it would take what is others' for its own.
    for option in /run /run/ /var/run //run/.; do
        [[ $(refused "$LXCFSD" --runtime-dir="$option" "$WORK/lxcfs") == "--runtime-dir names the directory itself, "*"--runtime-dir="*"/run/lxcfs" ]]
    done
    # The mountpoint may be left out: its default is lxcfs's own.
    "$LXCFSD" serve --help | grep -q 'default: /var/lib/lxcfs)'
}

@test "each path of lxcfs, as docs/lxc.md has it" {
    needs_command lxcfs
    start_daemon
    mkdir -p "$WORK/stock"
    lxcfs -f -p "$WORK/stock.lock" "$WORK/stock" >/dev/null 2>&1 </dev/null 3>&- &
    echo $! >"$WORK/stock.pid"
    wait_for 10 test -e "$WORK/stock/proc/meminfo"
    local path table
    table=$(sed -n '/^## Paths/,/^## What differs/p' "$REPO/docs/lxc.md")
    while read -r path; do
        [[ -e $WORK/lxcfs/$path ]] || fail "no $path"
        # Of these, it makes one itself.
        [[ $path == sys/devices/system/cpu/* && $path != */cpu/online ]] ||
            [[ $table == *"/var/lib/lxcfs/$path\`"* ]] || fail "$path is not documented"
    done < <(cd "$WORK/stock" && find proc sys -maxdepth 5 -type f)
    # And all that the table names below the mountpoint is so.
    # shellcheck disable=SC2016 # no command
    while read -r path; do
        if [[ $path == cgroup ]]; then
            [[ ! -e $WORK/lxcfs/$path ]]
        else
            [[ -e $WORK/lxcfs/$path ]] || fail "the table has $path"
        fi
    done < <(grep -oE '`/var/lib/lxcfs/[^`]+`' <<<"$table" | tr -d '`' | sed 's,/var/lib/lxcfs/,,')
}

@test "the README's example with podman: free -m shows the container at once" {
    needs_command podman
    # shellcheck disable=SC2016 # no command
    local line
    line=$(grep -E '^podman run ' "$REPO/README.md" | head -n 1)
    [[ $line == "podman run --rm -m 256m --annotation io.lxcfs-hook.enable=true alpine free -m" ]] || fail "$line"
    start_daemon
    # What `make install` installs, with the paths of this test.
    mkdir -p "$WORK/hooks.d"
    local file
    for file in 50-lxcfs-hook-annotated.json podman/50-lxcfs-hook-sysinfo-annotated.json; do
        jq --arg hook "$LXCFS_HOOK" --arg run "$WORK/run" \
            '.hook.path = $hook | .hook.args += ["--runtime-dir", $run]' "$REPO/hooks.d/$file" \
            >"$WORK/hooks.d/${file##*/}"
    done
    run -0 podman_run "${RUNTIMES[0]}" -m 256m --annotation io.lxcfs-hook.enable=true -- free -m
    echo "$output"
    awk '/^Mem:/ { exit !($2 == 256 && $3 < 64 && $4 <= 256 && $7 <= 256) }' <<<"$output"
    # Asked for sysinfo(2) alone, the files are there, too.
    run -0 podman_run "${RUNTIMES[0]}" -m 256m --annotation io.lxcfs-hook.sysinfo=true -- free -m
    awk '/^Mem:/ { exit !($2 == 256 && $7 <= 256) }' <<<"$output"
    rm -r "$WORK/hooks.d"
}
