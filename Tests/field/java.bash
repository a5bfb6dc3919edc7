# A JVM of this machine in a container.
# shellcheck shell=bash

java_home() {
    local javac
    javac=$(ls /usr/lib/jvm/*/bin/javac 2>/dev/null | grep -- '-17-' | head -n 1)
    [[ -n $javac ]] || skip "needs openjdk-17-jdk-headless"
    echo "${javac%/bin/javac}"
}

# java_mounts: for used_bundle. Debian's has its settings below /etc.
java_mounts() {
    echo '| .mounts += [{destination: "/etc/java-17-openjdk", type: "bind",
        source: "/etc/java-17-openjdk", options: ["rbind", "ro"]}]'
}

# add_java NAME: /jdk and /classes.
add_java() {
    local root
    root=$(bundle_of "$1")/rootfs
    ln -sfn "$(java_home)" "$root/jdk"
    mkdir -p "$root/classes"
    "$(java_home)/bin/javac" -d "$root/classes" "$REPO/Tests/field/Says.java"
}
