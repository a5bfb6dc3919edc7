# The same sources make the same programs, in another directory and at another time. It builds them
# anew, which takes long.

load machine

@test "built twice: the same bytes" {
    local copy=$BATS_FILE_TMPDIR/elsewhere/repository program
    git clone -q "$REPO" "$copy"
    if [[ -e $REPO/Package.resolved ]]; then cp "$REPO/Package.resolved" "$copy/"; fi
    make -C "$copy" build >/dev/null 2>&1
    while read -r program; do
        cmp "$REPO/.build/release/$program" "$copy/.build/release/$program"
    done < <(awk -F '"' '/\.executable.name:/ { print $2 }' "$REPO/Package.swift")
}
