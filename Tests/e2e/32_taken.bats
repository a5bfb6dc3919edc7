# A worker that somebody has taken over: code that was brought into it (by ptrace(2), which is root's)
# makes system calls. It reads what a worker has to read, and writes and signals nothing.

load helpers

INJECT=$REPO/.build/programs/inject
setup_file() {
    needs_binaries
    [[ -x $INJECT ]] || skip "needs a C compiler"
    start_daemon
}
teardown_file() { stop_daemon; }
teardown() { cleanup_containers; }

has_landlock() { grep -q landlock /sys/kernel/security/lsm 2>/dev/null || landlock_answers; }

# landlock_answers: where securityfs is not mounted, the daemon has said what there is not.
landlock_answers() { ! grep -q "the kernel has no Landlock" "$WORK/lxcfsd.log"; }

needs_landlock() { has_landlock || skip "needs Landlock"; }

aide_of() { cat "/proc/$1/task/"*/children | tr ' ' '\n' | head -n 1; }

# inject CALL [ARGUMENT...]: what the worker gets for it.
inject() {
    # It serves, so all that confines it is there.
    cat "$WORK/lxcfs/proc/uptime" >/dev/null
    timeout 10 "$INJECT" "$(worker_pid)" "$@"
}

# One that is killed is replaced, but after five of them later and later.
KILLED=0
anew() {
    stop_daemon
    start_daemon
    KILLED=0
}

# gets ANSWER CALL [ARGUMENT...]
gets() {
    local wanted=$1 got
    shift
    ((KILLED < 5)) || anew
    got=$(inject "$@") || true
    if [[ $got == killed ]]; then KILLED=$((KILLED + 1)); fi
    # shellcheck disable=SC2053 # a pattern
    [[ $got == $wanted ]] || fail "$* got $got instead of $wanted" "$(tail -n 5 "$WORK/lxcfsd.log")"
}

# flags
readonly RDONLY=0 WRONLY=1 RDWR=2 CREATE=0x41 HERE=-100

# proc_of PID: its descriptor of a procfs that is mounted nowhere.
proc_of() {
    local file
    for file in "/proc/$1/fd/"*; do
        [[ $(readlink "$file") == / && $(stat -L -f -c %T "$file") == proc ]] || continue
        basename "$file"
        return
    done
    return 1
}

start() {
    make_bundle "$1" -m $((64 << 20)) sleep 1000
    start_container "${RUNTIMES[0]}" "$1"
}

@test "nothing in the daemon looks at namespaces but through the aide" {
    # It would work without Landlock, and fail where it counts.
    run ! grep -rnE '"[^"]*/ns/' "$REPO/Sources/LxcfsFS" "$REPO/Sources/Cgroups"
}

@test "taken over: it has no capability, and its aide only what it is for" {
    local worker aide
    worker=$(worker_pid)
    aide=$(aide_of "$worker")
    [[ $(cat "/proc/$aide/comm") == lxcfsd-aide ]]
    run -0 awk '/^Cap(Inh|Prm|Eff|Bnd|Amb)/ { print $2 }' "/proc/$worker/status"
    [[ $(sort -u <<<"$output") == 0000000000000000 ]] || fail "$output"
    # CAP_SYS_PTRACE; CAP_SYS_RESOURCE and CAP_DAC_OVERRIDE have to be raised.
    [[ $(awk '/^CapEff/ { print $2 }' "/proc/$aide/status") == 0000000000080000 ]]
    local allowed=$((0x80000 | 0x1000000 | 0x2))
    (((0x$(awk '/^CapPrm/ { print $2 }' "/proc/$aide/status") & ~allowed) == 0))
    local pid
    for pid in "$worker" "$aide"; do
        [[ $(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status") == 2 ]]
        [[ $(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$pid/status") == 1 ]]
    done
    # The aide has what it needs, and nothing of the worker's.
    [[ $(ls "/proc/$aide/fd" | tr '\n' ' ') =~ ^"0 1 2 3 4 "([0-9]+ )*$ ]]
    ! readlink "/proc/$aide/fd/"* | grep -q -e fuse -e counters -e memfd
}

@test "taken over: files of the host cannot be opened, neither for reading nor for writing" {
    needs_landlock
    local keeper aide proc path
    keeper=$(daemon_pid)
    aide=$(aide_of "$(worker_pid)")
    proc=$(proc_of "$(worker_pid)")
    for path in /etc/shadow /etc/passwd / /dev/null "$LXCFSD" "$WORK/run/kept.json" \
        /var/log /root "$BATS_TEST_FILENAME"; do
        [[ -e $path ]] || continue
        gets EACCES openat $HERE "s:$path" $RDONLY
    done
    for path in /etc/taken /tmp/taken /run/taken "$WORK/run/taken" "$WORK/lxcfs/taken"; do
        gets "E@(ACCES|ROFS|PERM)" openat $HERE "s:$path" $CREATE 0600
        gets "E@(ACCES|ROFS|PERM)" mkdirat $HERE "s:$path" 0700
        [[ ! -e $path ]]
    done
    for path in "$WORK/run/control.sock" "$WORK/run/counters.2" "$WORK/run/lxcfsd.pid"; do
        gets EACCES unlinkat $HERE "s:$path" 0
        gets "E@(ACCES|XDEV)" renameat2 $HERE "s:$path" $HERE "s:$WORK/run/containers/x" 0
        [[ -e $path ]]
    done
    # Magic links of procfs lead nowhere, in the instance that is mounted and in its own one.
    local pid name
    for pid in 1 "$keeper" "$aide" $$; do
        for name in root/etc/shadow cwd exe mem environ maps auxv fd/0 ns/mnt; do
            gets "E@(ACCES|PERM|NOENT)" openat $HERE "s:/proc/$pid/$name" $RDONLY
            gets "E@(ACCES|PERM|NOENT)" openat "$proc" "s:$pid/$name" $RDONLY
        done
        for name in mem oom_score_adj clear_refs coredump_filter attr/current comm timerslack_ns; do
            gets "E@(ACCES|PERM)" openat $HERE "s:/proc/$pid/$name" $WRONLY
            gets "E@(ACCES|PERM)" openat "$proc" "s:$pid/$name" $RDWR
        done
    done
    for name in sysrq-trigger sys/kernel/core_pattern sys/vm/drop_caches sys/kernel/panic pressure/cpu; do
        gets "E@(ACCES|NOENT)" openat "$proc" "s:$name" $RDWR
        gets "E@(ACCES|NOENT)" openat "$proc" "s:$name" $WRONLY
    done
    for name in /sys/kernel/mm/transparent_hugepage/enabled /sys/power/state \
        /sys/devices/system/cpu/cpu0/online /sys/kernel/uevent_helper; do
        gets "E@(ACCES|NOENT)" openat $HERE "s:$name" $WRONLY
    done
}

@test "taken over: not even processes without capabilities can be looked into" {
    needs_landlock
    # Those that the kernel lets every process of root into.
    setpriv --inh-caps -all --bounding-set -all sleep 1000 3>&- &
    local pid=$! name
    wait_for 5 grep -q "CapPrm:.0000000000000000" "/proc/$pid/status"
    for name in mem environ maps root/etc/shadow fd/0; do
        gets "E@(ACCES|PERM)" openat $HERE "s:/proc/$pid/$name" $RDONLY
    done
    gets "E@(ACCES|PERM)" openat $HERE "s:/proc/$pid/mem" $RDWR
    kill "$pid"
}

@test "taken over: cgroups can be read and not be written to" {
    start cgroup
    local pid path group
    pid=$(container_pid cgroup)
    path=$(awk -F: '$2 ~ /(^|,)memory(,|$)/ || $1 == 0 && $2 == "" { print $3; exit }' \
        "/proc/$pid/cgroup")
    for group in "/sys/fs/cgroup/memory$path" "/sys/fs/cgroup$path" "/sys/fs/cgroup/unified$path"; do
        [[ -d $group ]] || continue
        gets "= *" openat $HERE "s:$group/cgroup.procs" $RDONLY
        gets "= *" openat $HERE "s:$group" $RDONLY
        needs_landlock
        local file
        for file in cgroup.procs cgroup.kill cgroup.freeze memory.max memory.limit_in_bytes \
            memory.pressure cgroup.subtree_control notify_on_release; do
            gets "E@(ACCES|NOENT)" openat $HERE "s:$group/$file" $WRONLY
        done
        gets EACCES mkdirat $HERE "s:$group/taken" 0755
    done
}

@test "taken over: it reads what it has to, and keeps state files" {
    start needed
    local pid proc name
    pid=$(container_pid needed)
    proc=$(proc_of "$(worker_pid)")
    for name in "$pid/cgroup" "$pid/mountinfo" "$pid/stat" "$pid/status" "$pid/timens_offsets" \
        meminfo stat self/mountinfo; do
        gets "= *" openat "$proc" "s:$name" $RDONLY
    done
    gets "= *" openat $HERE "s:$WORK/run/containers/needed.json" $RDWR
    gets "= *" openat $HERE "s:$WORK/run/containers/.x" $CREATE 0600
    gets "= 0" renameat2 $HERE "s:$WORK/run/containers/.x" $HERE "s:$WORK/run/containers/y" 0
    gets "= 0" unlinkat $HERE "s:$WORK/run/containers/y" 0
    gets "= $(worker_pid)" getpid
}

@test "taken over: it signals nobody and reaches into nobody" {
    local victim call
    sleep 1000 3>&- &
    victim=$!
    # KEEPER: whichever it is by then.
    for call in "kill $victim 9" "kill KEEPER 9" "kill $victim 0" "kill -1 0" "tkill $victim 9" \
        "tgkill $victim $victim 9" "rt_sigqueueinfo $victim 9 b:128" \
        "rt_tgsigqueueinfo $victim $victim 9 b:128" \
        "fcntl 0 8 $victim" "fcntl 0 10 9" "fcntl 0 15 b:8" \
        "ioctl 0 0x8901 b:4" "ioctl 0 0x8902 b:4" "ioctl 0 0x5412 s:x" "ioctl 6 0xc0182103 b:24" \
        "pidfd_getfd 3 0 0" "process_vm_readv KEEPER b:16 1 b:16 1 0" \
        "process_vm_writev KEEPER b:16 1 b:16 1 0" "process_madvise 3 b:16 1 4 0" \
        "ptrace 16 $victim 0 0" "kcmp KEEPER $victim 0 0 0" "prlimit64 $victim 7 b:16 0" \
        "setpriority 0 $victim 19" "sched_setaffinity $victim 8 b:8" \
        "sched_setscheduler $victim 0 b:8" "ioprio_set 1 $victim 0"; do
        # shellcheck disable=SC2086 # words
        gets killed ${call//KEEPER/$(daemon_pid)}
        is_running "$victim"
        is_running "$(daemon_pid)"
    done
    # A pidfd is good for asking whether the process is there, and for nothing else.
    local worker number
    worker=$(worker_pid)
    number=$("$INJECT" "$worker" pidfd_open "$victim" 0)
    gets "@(= 0|EPERM)" pidfd_send_signal "${number#= }" 0 0 0
    [[ $(worker_pid) == "$worker" ]]
    gets killed pidfd_send_signal "${number#= }" 9 0 0
    is_running "$victim"
    kill "$victim"
}

@test "taken over: no program, process, code, socket, mount, namespace or kernel interface" {
    local call
    for call in "execve s:/bin/true 0 0" "execveat $HERE s:/bin/true 0 0 0" \
        "clone 17 0 0 0 0" "clone 0x4111 0 0 0 0" "clone 0x10000000 0 0 0 0" \
        "mmap 0 4096 7 0x22 -1 0" "mmap 0 4096 4 0x22 -1 0" "mprotect 0 4096 5" \
        "socket 1 1 0" "socket 2 1 0" "socket 16 3 0" "socketpair 1 1 0 b:8" \
        "connect 3 b:16 16" "bind 3 b:16 16" "listen 3 1" \
        "mount s:none s:/mnt s:tmpfs 0 0" "umount2 s:/mnt 2" "open_tree $HERE s:/ 1" \
        "move_mount 3 s: $HERE s:/mnt 4" "fsopen s:tmpfs 0" "setns 3 0" "unshare 0x20000" \
        "pivot_root s:/ s:/" "chroot s:/" "chdir s:/" \
        "truncate s:/etc/hostname 0" "fchmod 2 0777" "fchmodat $HERE s:/etc/shadow 0666 0" \
        "fchownat $HERE s:/etc/shadow 1 1 0" "utimensat $HERE s:/etc/shadow 0 0" \
        "setxattr s:/etc/shadow s:user.x s:x 1 0" "linkat $HERE s:/etc/shadow $HERE s:/tmp/x 0" \
        "symlinkat s:/etc/shadow $HERE s:$WORK/run/containers/l.json" \
        "mknodat $HERE s:/tmp/x 0x2000 0x101" "name_to_handle_at $HERE s:/ b:128 b:4 0" \
        "open_by_handle_at 3 b:128 0" "fanotify_init 0 0" "splice 0 0 1 0 1 0" \
        "capset b:8 b:24" "setuid 0" "prctl 4 1 0 0 0" "prctl 24 0 0 0 0" \
        "prctl 59 1 0 0 0" "seccomp 0 0 0" "landlock_create_ruleset 0 0 1" \
        "bpf 0 b:128 128" "io_uring_setup 1 b:120" "perf_event_open b:128 0 -1 -1 0" \
        "userfaultfd 0" "keyctl 0 0" "init_module b:16 16 s:" "reboot 0 0 0 0" "swapoff s:/x" \
        "shmget 0 4096 0600" "msgget 0 0600" "mq_open s:x 0" "timer_create 0 b:64 b:8" \
        "personality 0"; do
        # shellcheck disable=SC2086 # words
        gets killed $call
    done
    # glibc takes the other call then.
    gets "ENOSYS *" clone3 b:88 88
    is_running "$(daemon_pid)"
}

@test "taken over: calls that are newer, older, of another ABI, or say the same in another way" {
    local call
    # The numbers of 425 and above are those of all architectures.
    for call in "socket 40 1 0" "socket 38 5 0" "socket 17 3 0" "socket 16 3 15" \
        "426 3 1 0 0 0" "427 3 0 0 0" "428 $HERE s:/ 1" "432 3 0 0 0" "431 3 0 0 0 0" "433 $HERE s:/ 0" \
        "440 3 b:16 1 4 0" "442 $HERE s:/ 0 b:32 32" "443 3 s: 0 0" "445 0 0 0 0" \
        "446 3 0" "447 0" "448 3 0" "452 $HERE s:/etc/shadow 0666 0" "463 $HERE s:/ 0 s:user.x 0 0" \
        "467 $HERE s:/ 1 0 0" \
        "prctl 1 9 0 0 0" "prctl 22 2 b:16 0 0" "prctl 35 1 0 0 0" "prctl 28 0 0 0 0" \
        "prctl 47 2 21 0 0" "prctl 0x59616d61 1 0 0 0" "prctl 38 1 0 0 0" \
        "mmap 0 4096 5 0x21 3 0" "mprotect 0 4096 7" \
        "ioctl 3 0x5413 b:8" "ioctl 3 0x4030582a b:64" "ioctl 3 0x40049409 3" "ioctl 3 0x6609 b:8" \
        "fcntl 3 1024 1" "fcntl 3 1026 0" "fcntl 3 14 0" "fcntl 3 6 b:32" "clone 0x01000000 0 0 0 0" \
        "clone 0x20000100 0 0 0 0" "setsockopt 3 1 26 b:16 16" "setsockopt 3 1 16 b:4 4"; do
        # shellcheck disable=SC2086 # words
        gets killed $call
    done
    if [[ $(uname -m) == x86_64 ]]; then
        # modify_ldt, iopl, ioperm, arch_prctl, kexec_load, pkey_mprotect, move_pages; write, execve
        # and kill as x32.
        for call in "154 0 b:16 16" "172 3" "173 0 1024 1" "158 0x1002 0" "246 0 0 0 0" "329 0 4096 7 0" \
            "279 KEEPER 0 0 0 0 0" "0x40000001 1 s:x 1" "0x40000208 s:/bin/true 0 0" \
            "0x4000003e KEEPER 9"; do
            # shellcheck disable=SC2086 # words
            gets killed ${call//KEEPER/$(daemon_pid)}
        done
    fi
    is_running "$(daemon_pid)"
    anew
}

# channel: the worker's first socket to its aide, which was made in the moment before the aide's.
channel() {
    local worker aide inode file
    worker=$(worker_pid)
    aide=$(aide_of "$worker")
    inode=$(readlink "/proc/$aide/fd/4" | tr -dc 0-9)
    for file in "/proc/$worker/fd/"*; do
        [[ $(readlink "$file") == "socket:[$((inode - 1))]" ]] || continue
        basename "$file"
        return
    done
    return 1
}

# number BYTES VALUE: little-endian hexadecimal digits.
number() {
    local i value=$2
    for ((i = 0; i < $1; i++)); do
        printf %02x $((value & 255))
        value=$((value >> 8))
    done
}

# asks ERRNO OPERATION TID ADDRESS DETAIL PRIVILEGED [PAYLOAD]: what the aide says to a worker that
# has been taken over (Sources/Syscalls/AideRequest.swift); ERRNO as a number.
asks() {
    local request socket got
    socket=$(channel)
    request=$(number 4 "$2")$(number 4 "$3")$(number 8 "$4")$(number 4 "$5")$(number 4 "$6")${7:-}
    gets "= $((${#request} / 2)) *" sendto "$socket" "x:$request" $((${#request} / 2)) 0 0 0
    got=$(inject recvfrom "$socket" b:16 16 0 0 0)
    [[ $got == "= 16 $(number 4 "$1")"* ]] || fail "$* got $got"
}

@test "taken over: its aide writes nowhere but where a thread waits for an answer" {
    [[ $(uname -m) == x86_64 || $(uname -m) == aarch64 ]] || skip "not little-endian"
    channel >/dev/null || skip "the sockets' numbers tell nothing here"
    local write=4 keeper worker address victim status
    keeper=$(daemon_pid)
    worker=$(worker_pid)
    sleep 1000 3>&- &
    victim=$!
    for pid in "$victim" "$keeper" "$worker" "$(aide_of "$worker")"; do
        [[ $(cat "/proc/$pid/syscall") != running ]] || continue
        # Its stack, and what it has handed to the call that it waits in.
        for address in "$(awk '/\[stack\]/ { print "0x" $1 }' "/proc/$pid/maps" | cut -d- -f1)" \
            $(awk '{ print $2, $3, $4 }' "/proc/$pid/syscall"); do
            asks 13 $write "$pid" "$address" 0 0 "$(printf '00%.0s' {1..64})"
        done
    done
    is_running "$victim"
    # A process that is not there, and operations that there are not.
    asks 2 $write 99999999 4096 0 0 00
    asks 74 0 1 0 0 0
    asks 74 77 1 0 0 0
    # Names of files are its own, and a directory has to come along.
    asks 2 5 0 0 3 0
    asks 2 5 0 0 4294967295 1
    asks 9 6 0 0 0 0
    # The identity of a namespace is no secret.
    asks 0 2 "$keeper" 0 1 0
    asks 22 2 "$keeper" 0 77 0
    [[ $(worker_pid) == "$worker" ]]
    kill "$victim"
    # The aide's end is the worker's: another one has an aide.
    kill -KILL "$(aide_of "$worker")"
    "$INJECT" "$worker" getpid
    wait_for 5 cat "$WORK/lxcfs/proc/uptime"
}

@test "taken over: its aide executes nothing, signals nobody and opens no socket" {
    local call aide
    for call in "execve s:/bin/true 0 0" "kill 1 0" "tgkill 1 1 0" "socket 2 1 0" "ptrace 16 1 0 0" \
        "mount s:none s:/mnt s:tmpfs 0 0" "setns 3 0" "unshare 0x20000" "clone 17 0 0 0 0" \
        "mmap 0 4096 7 0x22 -1 0" "unlinkat $HERE s:/tmp/x 0" "pidfd_getfd 3 0 0" \
        "prctl 4 1 0 0 0" "bpf 0 b:128 128" "ioctl 2 0x5401 b:64"; do
        aide=$(aide_of "$(worker_pid)")
        # shellcheck disable=SC2086 # words
        run -0 "$INJECT" "$aide" $call
        [[ $output == killed ]] || fail "$call: $output"
        # Its worker goes with it when it asks next, see above.
        kill -KILL "$(worker_pid)"
        wait_for 5 cat "$WORK/lxcfs/proc/uptime"
    done
}

# leaves WHAT [ARGUMENT...]: what a worker that has been taken over leaves behind.
leaves() {
    needs_command python3
    cat "$WORK/lxcfs/proc/uptime" >/dev/null
    timeout 60 python3 "$E2E_DIR/left.py" "$(daemon_pid)" "$(worker_pid)" "$@"
}

# next_serves NAME: another worker, and containers are served; nothing but this was needed.
next_serves() {
    local worker keeper
    keeper=$(daemon_pid)
    worker=$(worker_pid)
    [[ -z $worker ]] || kill -KILL "$worker"
    # After those that the keeper has ended, workers are started later and later.
    wait_for 15 eval '[[ -n $(worker_pid) && $(worker_pid) != "'"$worker"'" ]]'
    wait_for 15 total_is "$1" 65536 || fail "$(tail -n 6 "$WORK/lxcfsd.log")"
    is_running "$keeper"
    [[ $("$LXCFSD" list --json --runtime-dir "$WORK/run" | jq length) == 1 ]]
}

total_is() {
    [[ $(timeout 5 awk '/^MemTotal:/ { print $2 }' "/proc/$(container_pid "$1")/root/proc/meminfo") == "$2" ]]
}

@test "its aide answers anything, and is there afterwards" {
    local aide before
    anew
    start asked
    aide=$(aide_of "$(worker_pid)")
    before=$(ls "/proc/$aide/fd" | wc -l)
    run -0 leaves aide 1 3
    echo "# $output requests"
    ((output > 100))
    is_running "$aide"
    is_running "$(daemon_pid)"
    # What came along, and what was made, is closed.
    wait_for 5 eval '(($(ls "/proc/'"$aide"'/fd" | wc -l) < '"$before"' + 8))'
    (($(awk '/^RssAnon:/ { print $2 }' "/proc/$aide/status") < 32768))
    next_serves asked
}

@test "what a worker that was taken over leaves does not keep the next one from serving" {
    local part
    anew
    start left
    leaves poison
    next_serves left
    next_serves left
    for part in header tables requests; do
        leaves garbage "$RANDOM" 2 "$part"
        # What containers are shown is up to the memory, too (SIGUSR2).
        timeout 5 cat "$WORK/lxcfs/proc/uptime" >/dev/null || true
        anew_shown
        next_serves left
    done
    # An upgrade finds the same.
    kill -HUP "$(daemon_pid)"
    wait_for 15 total_is left 65536
    anew
}

# anew_shown: containers are shown themselves, whatever garbage says.
anew_shown() {
    kill -STOP "$(worker_pid)"
    python3 - "$(daemon_pid)" <<'PYTHON'
import glob, os, sys
for file in glob.glob(f"/proc/{sys.argv[1]}/fd/*"):
    if os.readlink(file).startswith("/memfd:lxcfsd "):
        os.pwrite(os.open(file, os.O_RDWR), bytes(4), 4)
PYTHON
    kill -CONT "$(worker_pid)"
}

@test "messages of a worker that was taken over: the keeper stays, and what it holds has bounds" {
    local keeper seed before lines
    anew
    start talks
    lines=$(wc -l <"$WORK/lxcfsd.log")
    keeper=$(daemon_pid)
    before=$(ls "/proc/$keeper/fd" | wc -l)
    for seed in 1 2; do
        leaves nonsense $seed
        next_serves talks
    done
    # Of messages that bring many descriptors, all but one are closed.
    (($(ls "/proc/$keeper/fd" | wc -l) < before + 16)) || fail "$(ls -l "/proc/$keeper/fd")"
    # Names that are too long are refused, and others are kept as far as there is room.
    leaves flood 2 15000
    (($(ls "/proc/$keeper/fd" | wc -l) < before + 16)) || fail "$(ls -l "/proc/$keeper/fd")"
    leaves flood 4 400
    (($(awk '/^RssAnon:/ { print $2 }' "/proc/$keeper/status") < 65536))
    (($(stat -c %s "$WORK/run/kept.json") < 20 << 20))
    (($(wc -l <"$WORK/lxcfsd.log") < lines + 100)) || fail "$(tail -n 20 "$WORK/lxcfsd.log" | cut -c1-200)"
    next_serves talks
    cleanup_containers
    # It can be ended.
    SECONDS=0
    stop_daemon
    ((SECONDS < 5 * ${E2E_PATIENCE:-1}))
    start_daemon
}

@test "the unit: what systemd-analyze(1) has against it is what the daemon needs" {
    needs_command systemd-analyze
    run systemd-analyze security --offline=yes --json=short "$REPO/examples/systemd/lxcfsd.service"
    [[ $status == 0 ]] || skip "systemd-analyze is too old"
    local open
    # - Mounts are for everybody, so it enters the host's mount namespace: CAP_SYS_CHROOT, setns(2).
    # - It is root's, and mounts: capabilities and calls for that; those that workers of earlier
    #   versions and the aide need.
    # - It reads all of /proc, writes to pressure files in cgroups, listens on a socket, and has
    #   /dev/fuse.
    # - ProtectSystem is not strict: docs/reliability.md.
    open=$(jq -r '.[] | select(.exposure != null and (.exposure | tonumber) > 0) | .name' \
        <<<"${lines[-1]}" | grep -vxF \
        -e ProtectSystem= -e ProtectControlGroups= -e PrivateUsers= \
        -e RootDirectory=/RootImage= -e ProcSubset= -e User=/DynamicUser= \
        -e 'CapabilityBoundingSet=~CAP_SYS_CHROOT' -e 'RestrictNamespaces=~mnt' \
        -e 'CapabilityBoundingSet=~CAP_SYS_PTRACE' -e 'CapabilityBoundingSet=~CAP_SYS_ADMIN' \
        -e 'CapabilityBoundingSet=~CAP_SET(UID|GID|PCAP)' \
        -e 'CapabilityBoundingSet=~CAP_(DAC_*|FOWNER|IPC_OWNER)' \
        -e 'CapabilityBoundingSet=~CAP_SYS_(NICE|RESOURCE)' \
        -e 'SystemCallFilter=~@privileged' -e 'SystemCallFilter=~@mount' \
        -e 'RestrictAddressFamilies=~AF_UNIX' -e DeviceAllow=) || true
    [[ -z $open ]] || fail "$open"
}
