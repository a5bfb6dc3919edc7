import Control
import Glibc
import Syscalls

/// The command `check`: finds out why containers do not get virtual files, and what to do about it.
///
/// A missing program, for instance, makes podman silently go on without the hook.
struct Check {
    let options: Options
    let setup: any Setup

    func run(hookDirectories: [String], json: Bool) -> ExitCode {
        let host = HostCheck()
        let daemon = DaemonCheck(options: options)
        var report = CheckReport()
        report.add("host", host.findings())
        report.add("policy", policy())
        report.add("daemon", daemon.findings())
        report.add("hooks", HookDirectoryCheck(directories: hookDirectories).findings())
        report.add("engines", setup.findings())
        if host.isRoot, daemon.answers {
            report.add("trial", Trial(options: options).findings())
        }
        print(json ? report.json : report.text)
        return report.verdict == .fail ? .failure : .success
    }

    private func policy() -> [Finding] {
        var read = options
        do throws(InputError) {
            guard let path = try PolicyFile.apply(to: &read) else { return [] }
            let annotations = read.allowedAnnotations.map {
                $0.isEmpty ? "none" : $0.joined(separator: ", ")
            }
            return [
                .ok(
                    """
                    \(path): files are \(read.isRequired ? "" : "not ")required, annotations that \
                    count: \(annotations ?? (read.isRequired ? "those that ask for more" : "all"))
                    """)
            ]
        } catch {
            return [.fail("no stage is run: \(error)")]
        }
    }
}
