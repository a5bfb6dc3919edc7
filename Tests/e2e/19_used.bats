# "Used" is what the container uses: as free, top, vmstat and others compute it from meminfo and
# sysinfo(2), and as the kernel has counted it. Tests/field does the same with larger programs.

load helpers
load load
load cpus
load used

setup_file() {
    make_disk
    start_daemon
}

teardown_file() {
    stop_daemon
    remove_disk
}

teardown() { cleanup_containers; }

procps_free() {
    output=$(in_it "$1" '/usr/bin/free -k')
    [[ $(column total Mem:) == "$LIMIT" ]]
    used=$(column used Mem:)
    near $((LIMIT - used)) "$(column available Mem:)" 4
}

@test "free of procps" {
    # Since procps 4: before that shared memory was not "used".
    [[ $(/usr/bin/free --version) =~ \ 4\. ]] || skip "needs procps 4"
    used_bundle procps
    with_all_kinds procps_free procps
}

# It asks sysinfo(2), and the file for what that does not have.
busybox_free() {
    output=$(in_it "$1" 'busybox free -k')
    [[ $(column total Mem:) == "$LIMIT" ]]
    uncached=$(column used Mem:)
    agrees "available" $((LIMIT - $(column available Mem:))) "$(kernel_used "$1")"
    agrees "shared" "$(column shared Mem:)" "$(kernel_memory "$1" shmem total_shmem)"
}

@test "free of busybox" {
    used_bundle busybox
    with_all_kinds busybox_free busybox
}

procps_top() {
    output=$(in_it "$1" 'TERM=dumb /usr/bin/top -b -n1 -E k')
    used=$(sed -n 's/^KiB Mem .* \([0-9]*\)\.\?[0-9]* used.*/\1/p' <<<"$output")
}

@test "top of procps" {
    [[ $(/usr/bin/free --version) =~ \ 4\. ]] || skip "needs procps 4"
    used_bundle top
    with_all_kinds procps_top top
}

# What is not free is all that it uses, page cache and all.
busybox_top() {
    output=$(in_it "$1" 'busybox top -b -n1')
    local all
    all=$(sed -n 's/^Mem: \([0-9]*\)K used.*/\1/p' <<<"$output")
    agrees "not free" "$all" "$(kernel_usage "$1")"
    # shellcheck disable=SC2034 # for the caller
    uncached=$((all - $(sed -n 's/^Mem: .* \([0-9]*\)K cached.*/\1/p' <<<"$output")))
}

@test "top of busybox" {
    used_bundle btop
    with_all_kinds busybox_top btop
}

vmstat_s() {
    output=$(in_it "$1" 'vmstat -s -S k')
    used=$(($(awk '/used memory/ { print $1 }' <<<"$output") * 1000 / 1024))
    local free cache
    free=$(($(awk '/free memory/ { print $1 }' <<<"$output") * 1000 / 1024))
    agrees "not free" $((LIMIT - free)) "$(kernel_usage "$1")"
}

@test "vmstat -s" {
    [[ $(/usr/bin/free --version) =~ \ 4\. ]] || skip "needs procps 4"
    used_bundle vmstat
    with_all_kinds vmstat_s vmstat
}

# Swap: what is there beside memory is used by whoever has been put there.
@test "free: used swap" {
    needs_swap
    used_bundle swap '| .linux.resources.memory |= (.limit = 64 * 1048576
        | .swap = 128 * 1048576)'
    LIMIT=$((64 * MB))
    shares_memory swap 90
    output=$(in_it swap '/usr/bin/free -k')
    agrees "swap" "$(column used Swap:)" "$(kernel_swap swap)"
    (($(column used Swap:) >= 26 * MB))
}
