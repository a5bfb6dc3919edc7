# Every way to read a file.

load helpers

setup_file() { start_daemon; }
teardown_file() { stop_daemon; }
teardown() { cleanup_containers; }

# bound FILE: the file as a container has it, a mount of its own, somewhere on the host.
bound() {
    mkdir -p "$WORK/bound"
    touch "$WORK/bound/$(basename "$1")"
    mount --bind "$1" "$WORK/bound/$(basename "$1")"
}

unbind() { umount "$WORK"/bound/*; rm -r "$WORK/bound"; }

@test "read, pread, small reads, rewind, sendfile, mmap" {
    needs_command python3
    make_bundle reading -m $((96 << 20)) -q 100000
    start_container runc reading
    local file tree=$WORK/lxcfs/reading
    for file in "$tree"/proc/[a-z]* "$tree/sys/devices/system/cpu/online"; do
        [[ -d $file ]] || bound "$file"
    done
    run python3 "$E2E_DIR/read_semantics.py" "$WORK"/bound/*
    unbind
    [[ $status == 0 ]] || fail "$output"
}

@test "a mapped file that becomes longer" {
    needs_command python3
    make_bundle longer -m $((96 << 20)) -q 100000
    start_container runc longer
    python3 "$E2E_DIR/read_semantics.py" --longer "$WORK/lxcfs/longer/proc/uptime"
}

caller() {
    make_bundle "caller-$1" -n -m $((96 << 20)) -q 100000 '
        for i in 1 2 3; do cat /lxcfs/proc/uptime; sleep 0.1; done
        cat /lxcfs/proc/meminfo; echo "online $(cat /lxcfs/sys/devices/system/cpu/online)"
        stat -c %s /lxcfs/proc/meminfo'
    mkdir -p "$(bundle_of "caller-$1")/rootfs/lxcfs"
    set_config "caller-$1" '.mounts += [{destination: "/lxcfs", type: "bind",
        source: $dir, options: ["rbind", "ro"]}]' --arg dir "$WORK/lxcfs"
    run -0 run_container "$1" "caller-$1"
    echo "$output" | head -8
    [[ ${lines[0]} != "${lines[1]}" && ${lines[1]} != "${lines[2]}" ]]
    [[ ${lines[0]} =~ ^[0-9]\. ]]
    [[ ${lines[3]} == MemTotal:*98304\ kB ]]
    [[ $output == *"online 0"$'\n'* ]]
    # As in sysfs: not known before it is read.
    [[ ${lines[-1]} == 4096 ]]
}

@test "the caller tree knows who reads" {
    for_each_runtime caller
}

@test "a 32-bit program from before large files" {
    local program=$REPO/.build/programs/stat32
    [[ -x $program ]] || skip "needs gcc to have made stat32"
    make_bundle narrow
    start_container runc narrow
    local tree
    for tree in "$WORK/lxcfs/narrow" "$WORK/lxcfs"; do
        # Fails with EOVERFLOW (75) if an inode number is too large for it.
        run -0 "$program" "$tree/proc/meminfo" "$tree/sys/devices/system/cpu"
    done
}

@test "the caller tree, read in every way" {
    needs_command python3
    run python3 - "$WORK/lxcfs/proc/uptime" "$WORK/lxcfs/proc/meminfo" <<'PY'
import os, sys, time
for path in sys.argv[1:]:
    fd = os.open(path, os.O_RDONLY)
    text = os.read(fd, 1 << 16)
    assert text.endswith(b"\n") and os.read(fd, 100) == b""
    assert os.pread(fd, 5, 3) == text[3:8]
    assert os.pread(fd, 5, 1 << 20) == b""
    time.sleep(0.03)
    again = os.pread(fd, 1 << 16, 0)
    assert path.endswith("meminfo") or again != text, "a rewind is not fresh"
    small = b""
    os.lseek(fd, 0, 0)
    while byte := os.read(fd, 1): small += byte
    assert small.endswith(b"\n")
    try:
        os.open(path, os.O_WRONLY)
        sys.exit("opened for writing")
    except PermissionError:
        pass
PY
    [[ $status == 0 ]] || fail "$output"
}

@test "a file that is larger than 64 kB" {
    needs_command python3
    needs_cpus 48
    make_bundle large
    start_container runc large
    run python3 - "$WORK/lxcfs/large/proc/cpuinfo" "$WORK/lxcfs/proc/cpuinfo" <<'PY'
import mmap, os, re, sys
def alike(text): return re.sub(rb"[0-9]", b"0", text) # the frequency may change
for path in sys.argv[1:]:
    fd = os.open(path, os.O_RDONLY)
    pieces = []
    while piece := os.read(fd, 1 << 20): pieces.append(piece)
    text = b"".join(pieces)
    print(path, len(text), "bytes in", len(pieces), "reads")
    assert len(text) > 1 << 16 and text.endswith(b"\n\n"), len(text)
    processors = re.findall(rb"^processor\s*: (\d+)$", text, re.M)
    assert processors == [b"%d" % n for n in range(os.cpu_count())], processors
    for offset, count in (65530, 20), (65536, 1), (4095, 70000), (len(text) - 3, 100):
        assert alike(os.pread(fd, count, offset)) == alike(text[offset:offset + count]), offset
    assert os.pread(fd, 100, len(text)) == b""
    os.lseek(fd, 0, 0)
    small = b""
    while piece := os.read(fd, 1000): small += piece
    assert alike(small) == alike(text)
    if os.fstat(fd).st_size < len(text): continue # the caller tree tells no size, as procfs
    with mmap.mmap(fd, len(text), mmap.MAP_PRIVATE, mmap.PROT_READ) as mapped:
        assert alike(mapped[:]) == alike(text)
    with open("/dev/shm/large-%d" % os.getpid(), "w+b") as copy:
        os.unlink(copy.name)
        at = 0
        while sent := os.sendfile(copy.fileno(), fd, at, 1 << 20): at += sent
        copy.seek(0)
        assert alike(copy.read()) == alike(text)
PY
    echo "# ${output//$'\n'/$'\n'# }" >&3
    [[ $status == 0 ]] || fail "$output"
}
