/// Where hook files are (oci-hooks(5)).
enum HookDirectories {
    /// Where engines look by themselves: podman and CRI-O in the first, buildah in both.
    static let shared: Set = [
        "/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d",
    ]

    /// Where `check` looks by itself. The last one is ours; podman reads it if its
    /// containers.conf says so.
    static let usual = [
        "/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d",
        "/usr/share/lxcfs-hook/hooks.d",
    ]
}
