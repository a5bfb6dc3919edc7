# build-image builds again when, and only when, what goes into the image has changed.
#
#   bats Tests/vm/build-image.bats

bats_require_minimum_version 1.5.0

setup() {
    here=$BATS_TEST_DIRNAME
    export VM_CACHE=$BATS_TEST_TMPDIR/cache
    # A kernel that is there already: this is about the disk image, not the network.
    mkdir -p "$VM_CACHE/kernel-6.1"
    echo none >"$VM_CACHE/kernel-6.1/release"
    # VM_EXTRA takes programs, so this has to be one.
    export VM_EXTRA=$BATS_TEST_TMPDIR/extra
    echo '#!/bin/sh' >"$VM_EXTRA"
    chmod +x "$VM_EXTRA"
}

@test "the disk image is built once, and again when a file changed" {
    run -0 "$here/build-image" 6.1
    [[ $output == *"building"* ]]
    local first
    first=$(stat -c %i "$VM_CACHE/root.img")

    run -0 "$here/build-image" 6.1
    [[ $output == *"up to date"* ]]
    [[ $(stat -c %i "$VM_CACHE/root.img") == "$first" ]]

    echo 'echo changed' >>"$VM_EXTRA"
    run -0 "$here/build-image" 6.1
    [[ $output == *"building"* ]]
    [[ $(stat -c %i "$VM_CACHE/root.img") != "$first" ]]
}

@test "an unknown kernel is refused, with the known ones" {
    run -2 "$here/build-image" 2.4
    [[ $output == *"no kernel 2.4"*6.1* ]]
}
