/// The text for `--help`.
enum Help {
    static var text: String {
        let names = VirtualFile.allCases.map(\.rawValue)
        let files =
            names.prefix(8).joined(separator: ",") + ",\n" + String(repeating: " ", count: 22)
            + names.dropFirst(8).joined(separator: ",")
        let codes = ExitCode.allCases.map { "  \($0.rawValue)  \($0.summary)\n" }.joined()
        return """
            Usage: lxcfs-hook <stage> [options]             as an OCI hook, state on stdin
                   lxcfs-hook attach <pid> [--id ID]        for a container that runs
                   lxcfs-hook attach --all                  for all containers whose files
                                                            are dead since lxcfsd was killed
                   lxcfs-hook detach <pid> [--id ID]
                   lxcfs-hook detach --all                  before lxcfsd is removed
                   lxcfs-hook check [--json]                find out why it does not work, and
                                                            what to do; changes nothing
                   lxcfs-hook install docker|containerd|podman|crio [--set-default]
                                                            make an engine use it
                   lxcfs-hook uninstall docker|containerd|podman|crio
                                                            take back what install has written
                   lxcfs-hook seccomp-profile [--base FILE] write a profile with which lxcfsd
                                                            answers sysinfo(2)

            Mounts the files of lxcfsd over those of a container's /proc and /sys, so that
            the container sees its own CPUs, memory, uptime and load.

            Stages: createRuntime, prestart, poststop; auto (one of these by the state's
            status, for hooks.d files); precreate (podman: config.json passes through; of
            containers that are served, lxcfsd becomes the agent of the seccomp section).

            Options:
              --files LIST        of \(files)
                                  (pressure: the files in /proc/pressure; cpu, node: directories
                                  in /sys/devices/system; disks: stat and inflight of disks
                                  below /sys); default: all
              --cpus quota|cpuset show as many CPUs as the quota pays for, or the cpuset's
              --required          a container that cannot be served does not start; of its
                                  annotations only those count that ask for more
              --timeout SECONDS   how long a stage, attach or detach may take, after which the
                                  container starts without (default 4); a stage ends 2 s later at
                                  the latest, which must be below the timeout of the hook file
              --policy FILE       the administrator's: what is required, and which annotations
                                  count; default: /etc/lxcfs-hook/policy.json, if there is one
              --unmasked          also serve containers with an unmasked /proc; in these,
                                  mounting a new procfs in a nested user namespace then fails
              --host-pid          also serve containers in the host's pid namespace, such as
                                  monitors of the node
              --no-freeze         attach: do not freeze the container for the milliseconds in
                                  which files are mounted, although it may then have them
                                  mounted elsewhere
              --no-sysinfo        precreate: lxcfsd does not answer sysinfo(2), which busybox
                                  free, uptime and top, and getloadavg(3), ask instead of /proc
              --sysinfo           precreate: it does, also with other runtimes than crun, runc
              --affinity          precreate, seccomp-profile: lxcfsd also answers
                                  sched_getaffinity(2), so that nproc honours a CPU quota
              --time              precreate: a time namespace whose boot is the container's
                                  start, so that ps is right; needs runc 1.2 or crun 1.8.4
              --runtime NAME      precreate: the runtime that will create the container, where
                                  podman's command line names none
              --runtime-dir DIR   of lxcfsd; default: /run/lxcfs
              --lxcfs-root DIR    use the lxcfs mounted at DIR, without lxcfsd
              --set-default       install: for all containers that do not opt out, not only
                                  for those for which somebody asks
              --dry-run           install, uninstall: show the difference, change nothing
              --restart           install, uninstall: have systemd reload or restart the engine
              --root DIR          install, uninstall: the engine's files are below DIR
              --config FILE       install: the engine's configuration, if it is not the usual one
              --runtime-path FILE install: where lxcfs-runtime is; default:
                                  /usr/bin/lxcfs-runtime
              --hook-path FILE    install podman: where lxcfs-hook is; default: beside this one
              --hooks-dir DIR     check: where hook files are; may be given more than once
              --json              check: for programs, in one line
              --no-syslog         write to standard error only
              --log-level LEVEL   debug, info (default), warning or error
              --help, --version

            A container may choose, by annotations in its config.json, unless --required or the
            policy says otherwise:
              io.lxcfs-hook.enable    false, 0, no or off: leave it alone
              io.lxcfs-hook.files     like --files, which it replaces
              io.lxcfs-hook.cpus      like --cpus, which it replaces
              io.lxcfs-hook.unmasked  true: like --unmasked
              io.lxcfs-hook.host-pid  true: like --host-pid
              io.lxcfs-hook.sysinfo   true: like --sysinfo; false: not that
              io.lxcfs-hook.affinity  true: like --affinity; false: not that
              io.lxcfs-hook.time      true: like --time; false: not that

            Exit codes:
            \(codes)
            """
    }
}
