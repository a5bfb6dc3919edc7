import Glibc
import LxcfsHook
import Syscalls

/// The commands `install` and `uninstall`, and what `check` says of engines.
package struct EngineSetup: Setup {
    package init() {}

    package func run(_ request: SetupRequest) -> ExitCode {
        var run = SetupRun(request)
        do {
            switch request.action {
            case .install: try run.install()
            case .uninstall: try run.uninstall()
            }
            return .success
        } catch {
            fflush(nil)
            let line = Array("lxcfs-hook: error: \(error)\n".utf8)
            // Who has closed standard error does not want to know.
            _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            return .failure
        }
    }

    package func findings() -> [Finding] {
        let root = Root("/")
        let findings = EngineName.allCases.flatMap { $0.configuration.findings(root) }
        return findings.isEmpty
            ? [.warn("no engine is here (docker, containerd, podman, crio)")] : findings
    }
}
