import Testing

@testable import LxcfsHook

@Suite struct RuntimeInvocationTests {
    private func read(_ line: String, isCrun: Bool = false) -> RuntimeInvocation {
        RuntimeInvocation(line.split(separator: " ").map(String.init), isCrun: isCrun)
    }

    @Test(
        arguments: [
            "create x", "--debug create x", "--root /r create x", "-root /r create x",
            "--root=/r create x", "--log create create x",
            "--log-format json --log list create x",
            "--systemd-cgroup --rootless auto --criu state create x", "--debug=false create x",
            "--new-option value create x", "--new-flag create x", "--new=1 create x",
            "-- create x",
        ])
    func findsTheCommandBehindOptions(_ line: String) {
        let invocation = read(line)
        #expect(invocation.command == "create")
        #expect(invocation.createsContainer)
    }

    @Test(
        arguments: [
            "", "list", "--log create list", "state create", "exec x run", "--version create x",
            "-v create x", "--help create", "create --help", "create x -h", "run -help",
            "--new-option create-me list", "help create", "-- -create",
        ])
    func othersCreateNothing(_ line: String) {
        #expect(!read(line).createsContainer)
    }

    @Test(
        arguments: [
            "create --bundle /b x", "create --bundle=/b x", "create -bundle /b x",
            "create -bundle=/b x", "create -b /b x", "create -b=/b x", "create -b/b x",
            "create x -b /b", "run -d --bundle /b x", "restore --image-path /i -b /b x",
            "create --bundle /a -b /b x", "create --pid-file -b --bundle /b x",
            "--root /r run --console-socket /c --preserve-fds 3 --bundle /b x",
            "create --new-flag -b /b x",
        ])
    func findsTheBundle(_ line: String) {
        #expect(read(line).bundle == "/b")
    }

    @Test(
        arguments: [
            "create x", "create --pid-file -b x", "create -- -b /b", "create --bundle",
            "--bundle /b create x", "exec -b /b",
        ])
    func thereIsNone(_ line: String) {
        #expect(read(line).bundle == nil)
    }

    /// argp: short options together, and long ones cut short.
    @Test(
        arguments: [
            ("run -db/b x", "/b"), ("run -db /b x", "/b"), ("run --bun /b x", "/b"),
            ("run --bund=/b x", "/b"), ("run -b=/b x", "=/b"), ("run --pid /p -b /b x", "/b"),
            ("--cgroup-man bundle --log-le debug run -b/b x", "/b"),
        ])
    func readsOptionsAsCrunDoes(_ line: String, _ bundle: String) {
        let invocation = read(line, isCrun: true)
        #expect(invocation.createsContainer)
        #expect(invocation.bundle == bundle)
    }

    @Test func readsWhatElseMatters() {
        let crun = read("--log=/l --log-format json create -f /c x", isCrun: true)
        #expect(crun.log == "/l")
        #expect(crun.logFormat == "json")
        #expect(crun.configuration == "/c")
        #expect(read("create -V", isCrun: true).createsContainer)
        #expect(!read("-vdebug create", isCrun: true).createsContainer)
        #expect(!read("create -d?", isCrun: true).createsContainer)
    }
}
