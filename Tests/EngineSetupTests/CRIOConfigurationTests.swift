import LxcfsHook
import Testing

@testable import EngineSetup

@Suite struct CRIOConfigurationTests {
    @Test func theRuntimeIsTheDefaultOneBehindOurs() throws {
        let root = try TemporaryRoot()
        try root.write(
            try TemporaryRoot.fixture("crio-10-crio.conf"),
            to: "/etc/crio/crio.conf.d/10-crio.conf")
        try root.install(.crio, isDefault: true)
        #expect(
            root.read(CRIOConfiguration.own) == """
                # written by lxcfs-hook install
                [crio.runtime]
                default_runtime = "lxcfs"
                [crio.runtime.runtimes.lxcfs]
                allowed_annotations = ["io.containers.trace-syscall"]
                monitor_path = "/usr/libexec/crio/conmon"
                runtime_path = "/usr/bin/lxcfs-runtime"
                runtime_root = "/run/crun"
                runtime_type = "oci"

                """)
    }
}
