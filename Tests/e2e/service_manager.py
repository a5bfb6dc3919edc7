"""A service manager that stores descriptors (sd_notify(3), FDSTORE=1), as a test has it.

service_manager.py WORK PROGRAM...: starts the first program as lxcfsd, on WORK/lxcfs and
WORK/run, and makes WORK/manager.ready when it serves. When WORK/manager.go exists it kills the
daemon and starts the next program with what was stored, and so on to the last, then makes
WORK/manager.done. When WORK/manager.stop exists it ends the daemon with SIGTERM, which has to
have everything dropped from the store. WORK/daemon.pid is the daemon that runs.
"""
import array
import fcntl
import os
import signal
import socket
import sys
import time

work, programs = sys.argv[1], sys.argv[2:]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(work + "/notify")
notify.settimeout(30)
store = {}


def start(program):
    log = os.open(work + "/lxcfsd.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if pid := os.fork():
        os.close(log)
        return pid
    os.dup2(log, 1)
    os.dup2(log, 2)
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 1000) for fd in store.values()]
    for index, fd in enumerate(high):
        os.dup2(fd, 3 + index)
    os.closerange(3 + len(high), 3000)
    environment = dict(os.environ, NOTIFY_SOCKET=work + "/notify")
    if store:
        environment.update(
            LISTEN_PID=str(os.getpid()),
            LISTEN_FDS=str(len(store)),
            LISTEN_FDNAMES=":".join(store),
        )
    os.execve(program, [program, "--runtime-dir", work + "/run", work + "/lxcfs"], environment)


def take():
    """One message; what it stores or drops is done."""
    data, control, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(64))
    lines = data.decode().split("\n")
    fds = array.array("i")
    for _, _, part in control:
        fds.frombytes(part[: len(part) // 4 * 4])
    names = [line.removeprefix("FDNAME=") for line in lines if line.startswith("FDNAME=")]
    if "FDSTORE=1" in lines:
        if names[0] in store:
            os.close(store[names[0]])
        store[names[0]] = fds[0]
    elif "FDSTOREREMOVE=1" in lines and names[0] in store:
        os.close(store.pop(names[0]))
    return lines


def until_ready(pid):
    while "READY=1" not in take():
        pass
    with open(work + "/daemon.pid", "w") as file:
        print(pid, file=file)


def exists(name):
    return os.path.exists(work + "/manager." + name)


def mark(name):
    open(work + "/manager." + name, "w").close()


running = programs[0]
try:
    pid = start(running)
    until_ready(pid)
    mark("ready")
    while not exists("go"):
        time.sleep(0.02)
    for running in programs[1:]:
        time.sleep(0.2)
        # What it has stored by now is taken first, as a service manager does.
        notify.settimeout(0.01)
        try:
            while take():
                pass
        except TimeoutError:
            notify.settimeout(30)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        print("killed", pid, "with", sorted(store), "in store; next", running, flush=True)
        pid = start(running)
        until_ready(pid)
    mark("done")
    while not exists("stop"):
        time.sleep(0.02)
    os.kill(pid, signal.SIGTERM)
    while store:
        take()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
except TimeoutError:
    sys.exit(f"{running} says nothing for 30 s; in store: {sorted(store)}")
