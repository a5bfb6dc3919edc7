# Containers that run this machine's programs.
# shellcheck shell=bash

PROGRAMS=$REPO/.build/programs

# needs_program NAME: made by Tests/e2e/programs/build, and with all its libraries here.
needs_program() {
    [[ -x $PROGRAMS/$1 ]] || skip "needs gcc and the library to have made $1"
    ! ldd "$PROGRAMS/$1" 2>/dev/null | grep "not found" || skip "no library for $1"
}

# cpu_bundle NAME [BUNDLE-OPTION...] COMMAND: a container with this machine's /usr.
cpu_bundle() {
    local name=$1 root program
    make_bundle "$@"
    root=$(bundle_of "$name")/rootfs
    mkdir -p "$root/usr"
    ln -sfn usr/lib "$root/lib"
    [[ ! -d /usr/lib64 ]] || ln -sfn usr/lib64 "$root/lib64"
    set_config "$name" '
        .mounts += [{destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"]}]
        | .process.env = ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C"]'
    for program in openmp openmp-llvm openmp-intel eal cpus-go; do
        [[ ! -x $PROGRAMS/$program ]] || cp "$PROGRAMS/$program" "$root/bin"
    done
}

# in_cpus NAME [BUNDLE-OPTION...] COMMAND: runs it; its output is $output. PREPARE is a function
# that adds to the bundle NAME what COMMAND needs.
in_cpus() {
    cpu_bundle "$@"
    [[ -z ${PREPARE:-} ]] || "$PREPARE" "$1"
    run -0 run_container "${RUNTIMES[0]}" "$1"
}

# openmp PROGRAM [BUNDLE-OPTION...]: with all usual settings.
openmp() {
    local program=$1
    shift
    in_cpus "$program" "$@" "$program
        for bind in close spread true; do
            for places in threads cores sockets; do
                OMP_PROC_BIND=\$bind OMP_PLACES=\$places $program
            done
        done
        KMP_AFFINITY=compact $program; GOMP_CPU_AFFINITY=1 $program; OMP_NUM_THREADS=3 $program"
    echo "$output"
    [[ $(grep -c '^threads [1-9]' <<<"$output") == 13 && $output != *[Aa]ssert* ]]
    [[ $output != *rror* && $output != *"nvalid"* ]]
}

openmp_everywhere() {
    needs_program "$1"
    needs_cpus 2
    openmp "$1" -q 100000
    openmp "$1" -c 1
    openmp "$1" -c 0-1 -q 50000
}
