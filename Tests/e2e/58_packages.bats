# What make dist makes of the release build, unpacked. Installing, upgrading and removing it takes
# longer: Tests/packages, make packages-test.

load helpers

setup_file() {
    needs_binaries
    local tool
    for tool in dpkg-deb rpmbuild go-md2man; do needs_command $tool; done
    [[ -e $REPO/packaging/dist ]] || skip "needs the repository"
    export SOURCE_DATE_EPOCH=1700000000 DIST_QUICKLY=1 PACKAGES=$BATS_FILE_TMPDIR/packages
    "$REPO/packaging/dist" "$PACKAGES" >/dev/null
    mkdir "$BATS_FILE_TMPDIR/deb"
    dpkg-deb -R "$PACKAGES"/*.deb "$BATS_FILE_TMPDIR/deb"
    VERSION=$("$REPO/packaging/version")
    export VERSION
}

setup() { DEB=$BATS_FILE_TMPDIR/deb; }

# programs: the names of those that are products.
programs() { awk -F '"' '/\.executable.name:/ { print $2 }' "$REPO/Package.swift"; }

@test "the version stands in one place" {
    [[ $("$LXCFSD" --version) == "lxcfsd $VERSION" ]]
    [[ $("$LXCFS_HOOK" --version) == "lxcfs-hook $VERSION" ]]
    [[ $(dpkg-deb -f "$PACKAGES"/*.deb Version) == "$VERSION-1" ]]
    [[ $(rpm -qp --qf '%{VERSION}' "$PACKAGES"/*.rpm 2>/dev/null) == "$VERSION" ]]
    tar -xOf "$PACKAGES"/*.oci.tar index.json | grep -q "lxcfs-hook:$VERSION"
    ls "$PACKAGES/lxcfs-hook-$VERSION-linux-"*.tar.gz
    # No second constant.
    run grep -rnE "\"$VERSION\"" "$REPO"/Sources --include=*.swift
    [[ ${#lines[@]} == 1 && ${lines[0]} == *Control/Version.swift* ]] || fail "$output"
}

@test ".deb: every program, where the unit and the hook files look for them" {
    local program path
    for program in $(programs); do
        path=$(find "$DEB/usr" -type f -name "$program" -path '*/bin/*' -o -type f \
            -name "$program" -path '*/libexec/*')
        cmp "$path" "$REPO/.build/release/$program"
    done
    [[ $(readlink -f "$DEB/usr/bin/lxcfs-hook") == "$DEB/usr/libexec/oci/lxcfs-hook" ]]
    while read -r path; do [[ -x $DEB$path ]] || fail "$path"; done < <(
        sed -n 's/^Exec[A-Za-z]*=[-+]*\([^ ]*lxcfs[^ ]*\).*/\1/p' \
            "$DEB/usr/lib/systemd/system/lxcfsd.service")
    while read -r path; do [[ -x $DEB$path ]] || fail "$path"; done < <(
        find "$DEB" -name '*.json' -path '*hooks.d*' -exec jq -r .hook.path {} +)
    # Nothing but what an administrator may change is in /etc, and nothing depends on anything.
    [[ $(cd "$DEB" && find etc -type f) == "etc/default/lxcfsd" ]]
    [[ $(<"$DEB/DEBIAN/conffiles") == "/etc/default/lxcfsd" ]]
    run grep -E '^(Pre-)?Depends|^Conflicts|^Replaces' "$DEB/DEBIAN/control"
    [[ $status == 1 ]] || fail "$output"
    # stage precreate only where podman alone looks.
    run grep -l precreate "$DEB"/usr/share/containers/oci/hooks.d/*
    [[ $status == 1 ]] || fail "$output"
}

@test ".deb: copyright names what is linked, man pages and completions are there" {
    local name
    for name in libfuse3 libseccomp glibc "make build"; do
        grep -q "$name" "$DEB/usr/share/doc/lxcfs-hook/copyright" || fail "$name"
    done
    dpkg-deb -f "$PACKAGES"/*.deb Built-Using | grep -q 'fuse3 (= .*libseccomp (= '
    for name in lxcfsd lxcfs-hook; do
        zcat "$DEB/usr/share/man/man8/$name.8.gz" | grep -q '^\.TH'
        bash -n "$DEB/usr/share/bash-completion/completions/$name"
        [[ -s $DEB/usr/share/zsh/vendor-completions/_$name ]]
        [[ -s $DEB/usr/share/fish/vendor_completions.d/$name.fish ]]
    done
    for name in postinst prerm postrm; do sh -n "$DEB/DEBIAN/$name"; done
}

@test "completions: bash knows the commands and options of --help" {
    local COMP_WORDS=(lxcfs-hook det) COMP_CWORD=1 COMPREPLY=()
    # shellcheck disable=SC1091
    source "$DEB/usr/share/bash-completion/completions/lxcfs-hook"
    _lxcfs_hook
    [[ ${COMPREPLY[*]} == detach ]]
    COMP_WORDS=(lxcfs-hook attach --) COMP_CWORD=2
    _lxcfs_hook
    local option
    for option in $("$LXCFS_HOOK" --help | grep -oE '^  --[a-z-]+' | tr -d ' '); do
        [[ " ${COMPREPLY[*]} " == *" $option "* ]] || fail "$option"
    done
    COMP_WORDS=(lxcfs-hook createRuntime --cpus q) COMP_CWORD=3
    _lxcfs_hook
    [[ ${COMPREPLY[*]} == quota ]]
}

@test "lintian and rpmlint say nothing" {
    needs_command lintian
    run lintian --fail-on error,warning "$PACKAGES"/*.deb
    [[ $status == 0 && $output != *"E: "* && $output != *"W: "* ]] || fail "$output"
    needs_command rpmlint
    run rpmlint -c "$REPO/packaging/rpm/rpmlint.toml" "$PACKAGES"/*.rpm
    # Whoever hands it on gives an address.
    output=$(grep -E ': [EW]: ' <<<"$output" | grep -v no-url-tag || true)
    [[ -z $output ]] || fail "$output"
}

@test "the image: all digests are right, it is small, and the daemon is in it" {
    local image=$BATS_FILE_TMPDIR/image digest layer
    [[ $(stat -c %s "$PACKAGES"/*.oci.tar) -lt $((30 << 20)) ]]
    mkdir "$image"
    tar -C "$image" -xf "$PACKAGES"/*.oci.tar
    for digest in "$image"/blobs/sha256/*; do
        [[ $(sha256sum <"$digest" | cut -d ' ' -f 1) == "${digest##*/}" ]]
    done
    digest=$(jq -r '.manifests[0].digest' "$image/index.json")
    layer=$(jq -r '.layers[0].digest' "$image/blobs/sha256/${digest#*:}")
    [[ $(jq -r '.config.digest' "$image/blobs/sha256/${digest#*:}" | cut -d : -f 2 |
        xargs -I X jq -r '.rootfs.diff_ids[0]' "$image/blobs/sha256/X") == \
        "sha256:$(zcat "$image/blobs/sha256/${layer#*:}" | sha256sum | cut -d ' ' -f 1)" ]]
    tar -tzf "$image/blobs/sha256/${layer#*:}" | grep -qx ./usr/bin/lxcfsd
    if command -v podman >/dev/null; then
        podman_cmd "${RUNTIMES[0]}" load -q -i "$PACKAGES"/*.oci.tar
        run -0 podman_cmd "${RUNTIMES[0]}" run --rm --network none --cgroup-parent "$E2E_CGROUP" \
            --ulimit nofile=20000:20000 --ulimit nproc=1000:1000 "localhost/lxcfs-hook:$VERSION" --version
        [[ ${lines[-1]} == "lxcfsd $VERSION" ]] || fail "$output"
    fi
}

@test "packaged twice: the same bytes, also from elsewhere and by another umask" {
    (umask 077 && cd / && TZ=Asia/Tokyo "$REPO/packaging/dist" "$BATS_FILE_TMPDIR/again" >/dev/null)
    diff "$PACKAGES/SHA256SUMS" "$BATS_FILE_TMPDIR/again/SHA256SUMS"
    (cd "$PACKAGES" && sha256sum --quiet -c SHA256SUMS)
}

@test "make install builds nothing, and make uninstall removes all of it" {
    local root=$BATS_FILE_TMPDIR/installed
    make -s -C "$REPO" install DESTDIR="$root" SWIFT=/bin/false >/dev/null
    [[ $(find "$root" -type f | wc -l) -gt 10 ]]
    make -s -C "$REPO" uninstall DESTDIR="$root"
    [[ -z $(find "$root" ! -type d) ]] || fail "$(find "$root" ! -type d)"
    [[ ! -e $root/usr/share/lxcfs-hook ]]
    # What has been changed is the administrator's.
    make -s -C "$REPO" install DESTDIR="$root" SWIFT=/bin/false >/dev/null
    echo LXCFSD_OPTIONS=-d >>"$root/etc/default/lxcfsd"
    make -s -C "$REPO" install DESTDIR="$root" SWIFT=/bin/false >/dev/null
    make -s -C "$REPO" uninstall DESTDIR="$root" 2>/dev/null
    [[ $(cd "$root" && find . -type f) == ./etc/default/lxcfsd ]]
    run make -s -C "$REPO" install DESTDIR="$root" RELEASE=/nonexistent
    [[ $status != 0 && $output == *"/nonexistent/lxcfsd is not there: make build first"* ]] || fail "$output"
}
