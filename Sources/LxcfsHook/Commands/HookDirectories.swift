/// Where hook files are (oci-hooks(5)).
package enum HookDirectories {
    /// Where engines look by themselves: podman and CRI-O in the first, buildah in both.
    package static let shared: Set = [
        "/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d",
    ]

    /// Where `install podman` writes hook files.
    package static let own = "/etc/lxcfs-hook/hooks.d"

    /// Where `check` looks by itself. The last two are ours; podman reads them if its
    /// containers.conf says so.
    package static let usual = [
        "/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d",
        "/usr/share/lxcfs-hook/hooks.d", own,
    ]
}
