# Loaded by bats before the first test file.
# shellcheck shell=bash

setup_suite() {
    # shellcheck source=Tests/e2e/helpers.bash
    source "${BASH_SOURCE[0]%/*}/helpers.bash"
    if [[ ${E2E_ISOLATED:-} != 1 ]]; then
        echo "These tests mount and create cgroups. Start them with Tests/e2e/run." >&2
        return 1
    fi
    export E2E_CGROUP=${E2E_CGROUP:-/lxcfs-e2e-$$}
    make_rootfs "$IMAGE_ROOTFS"
    "$E2E_DIR/programs/build"
}

teardown_suite() {
    remove_test_cgroups
}
