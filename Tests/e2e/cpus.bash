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
    for program in openmp openmp-llvm eal; do
        [[ ! -x $PROGRAMS/$program ]] || cp "$PROGRAMS/$program" "$root/bin"
    done
}

# in_cpus NAME [BUNDLE-OPTION...] COMMAND: runs it; its output is $output.
in_cpus() {
    cpu_bundle "$@"
    run -0 run_container "${RUNTIMES[0]}" "$1"
}
