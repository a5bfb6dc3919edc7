# A container of which is known what it uses, and what programs say about that.
# shellcheck shell=bash

MB=1024 # kB
LIMIT=$((512 * MB))

# used_bundle NAME [JQ-FILTER]: 512 MB, this machine's /usr, /disk and /shm; its calls are answered.
used_bundle() {
    needs_program hold
    cpu_bundle "$1" -m $((LIMIT * 1024)) 'mkdir -p /shm/tmp; sleep 86400'
    cp "$PROGRAMS/hold" "$(bundle_of "$1")/rootfs/bin"
    add_disk "$1"
    set_config "$1" '.mounts += [{destination: "/shm", type: "tmpfs", source: "tmpfs",
        options: ["size=200m"]}]'" ${2:-}"
    local config
    config=$(bundle_of "$1")/config.json
    "$LXCFS_HOOK" precreate --no-syslog --runtime-dir "$WORK/run" --sysinfo \
        <"$config" >"$config.new" && mv "$config.new" "$config"
    start_container runc "$1"
}

in_it() { exec_container runc "$1" sh -c "$2"; }

# holds_memory NAME MEGABYTES: of processes. shares_memory: in a tmpfs. caches: of files.
holds_memory() {
    in_it "$1" "hold $2 >/tmp/held-$2 2>&1 </dev/null & while ! grep -q held /tmp/held-$2; do sleep 0.05; done"
}
shares_memory() { in_it "$1" "dd if=/dev/zero of=/shm/$2 bs=1M count=$2 2>/dev/null"; }
caches() { in_it "$1" "dd if=/dev/zero of=/disk/$2 bs=1M count=$2 2>/dev/null; sync"; }

# What the kernel has counted, in kB. There are two meanings of "used" among programs: all that
# cannot be taken back (kernel_used), and all that is not free and no page cache, with the shared
# memory in it (kernel_uncached).
kernel_reclaimable() {
    echo $(($(kernel_memory "$1" active_file total_active_file) +
        $(kernel_memory "$1" inactive_file total_inactive_file) +
        $(kernel_memory "$1" slab_reclaimable -)))
}
kernel_used() { echo $(($(kernel_usage "$1") - $(kernel_reclaimable "$1"))); }
kernel_uncached() {
    echo $(($(kernel_usage "$1") - $(kernel_memory "$1" file total_cache) -
        $(kernel_memory "$1" slab_reclaimable -)))
}

# agrees WHAT SAID COUNTED: within 4 MB, in kB. What says it runs in the container meanwhile.
agrees() {
    echo "$1: $2 kB, the kernel $3 kB"
    near "$2" "$3" $((4 * MB))
}

# with_all_kinds FUNCTION NAME: calls FUNCTION NAME for an idle container, one whose processes have
# taken 60 MB, with 40 MB in a tmpfs, and with 80 MB of page cache. FUNCTION sets `used` and
# `uncached`, in kB, or leaves empty what its program does not tell.
with_all_kinds() {
    local idle_used idle_uncached
    check_against_kernel "$@"
    idle_used=$used idle_uncached=$uncached
    holds_memory "$2" 60
    check_against_kernel "$@"
    has_grown "$used" "$idle_used" 60
    has_grown "$uncached" "$idle_uncached" 60
    shares_memory "$2" 40
    check_against_kernel "$@"
    has_grown "$used" "$idle_used" 100
    has_grown "$uncached" "$idle_uncached" 60
    caches "$2" 80
    check_against_kernel "$@"
    has_grown "$used" "$idle_used" 100
    has_grown "$uncached" "$idle_uncached" 60
}

check_against_kernel() {
    used="" uncached=""
    "$@"
    [[ -n $used$uncached ]] || fail "nothing said"
    [[ -z $used ]] || agrees "used" "$used" "$(kernel_used "$2")"
    [[ -z $uncached ]] || agrees "used, without cache" "$uncached" "$(kernel_uncached "$2")"
}

# has_grown NOW BEFORE MEGABYTES
has_grown() {
    [[ -z $1 ]] || near $(($1 - $2)) $(($3 * MB)) $((4 * MB))
}

# column NAME of a table with a heading whose rows have a name in front, in $output.
column() {
    awk -v name="$1" -v row="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i + 1 }
        $1 == row { print $at }' <<<"$output"
}
