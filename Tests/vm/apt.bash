# shellcheck shell=bash

# apt_of RELEASE DIRECTORY COMMAND...: an apt command with a package list of its own, kept in
# DIRECTORY, so that another release can be read without adding it to this machine's sources.
# The mirror is the one that this machine uses anyway.
apt_of() {
    local release=$1 state=$2 mirror
    shift 2
    mkdir -p "$state"/{lists,cache/archives}/partial
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' |
        grep -v security | head -n 1)
    [[ -n $mirror ]] || { echo "no Debian mirror is configured; run apt-get update" >&2; return 1; }
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" \
        >"$state/sources.list"
    "$@" -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" \
        -o Dir::State::status=/dev/null -o APT::Sandbox::User=root
}
