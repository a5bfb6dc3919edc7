# The same programs make the same packages: at another time, of another directory, by another umask.

load machine

@test "packaged twice: the same bytes" {
    local copy=$BATS_FILE_TMPDIR/elsewhere/repository
    mkdir -p "$copy"
    # Not .build, but what is packaged of it.
    tar -C "$REPO" --exclude ./.build --exclude ./.git --exclude ./dist -cf - . | tar -C "$copy" -xf -
    mkdir -p "$copy/.build/release"
    cp "$REPO"/.build/release/lxcfs* "$copy/.build/release/" 2>/dev/null || true
    find "$copy" -exec touch --no-dereference --date=2001-02-03 {} +
    local epoch
    epoch=$(git -C "$REPO" log -1 --format=%ct)
    (umask 077 && cd / && SOURCE_DATE_EPOCH=$epoch LANG=de_DE.UTF-8 TZ=Asia/Tokyo \
        "$copy/packaging/dist" "$BATS_FILE_TMPDIR/again" >/dev/null)
    diff "$PACKAGES/SHA256SUMS" "$BATS_FILE_TMPDIR/again/SHA256SUMS"
}
