# Pressure triggers: written, polled, closed without polling, many at once.

load helpers
load load

setup() { start_daemon; }

teardown() {
    cleanup_containers
    stop_daemon
}

# Two loops share a fifth of a CPU.
busy_and_idle() {
    make_bundle busy -q 20000 'while :; do :; done & while :; do :; done'
    start_container runc busy
    make_bundle idle
    start_container runc idle
    look idle /proc/pressure/cpu >/dev/null 2>&1 ||
        skip "the kernel keeps no pressure for containers here"
}

@test "triggers and poll" {
    needs_command python3
    busy_and_idle
    # Through the containers' own mounts.
    run python3 "$E2E_DIR/triggers.py" "/proc/$(container_pid busy)/root/proc/pressure/cpu" \
        "/proc/$(container_pid idle)/root/proc/pressure/cpu" "$(worker_pid)"
    [[ $status == 0 ]] || fail "$output"
    look idle /proc/pressure/cpu
}

@test "a container's own process writes a trigger, and nothing else" {
    busy_and_idle
    # Without CAP_SYS_RESOURCE the kernel takes no trigger at all before Linux 6.5.
    if [[ $(printf '%s\n' 6.5 "$(uname -r)" | sort -V | head -n 1) == 6.5 ]]; then
        exec_container runc idle sh -c 'echo "some 100000 2000000" >/proc/pressure/cpu'
        # A window that only a privileged process may ask for.
        run exec_container runc idle sh -c 'echo "some 100000 1000000" >/proc/pressure/cpu'
        [[ $status != 0 && $output == *"Invalid argument"* ]] || fail "$output"
    fi
    run exec_container runc idle sh -c 'echo "some 1 2" >/proc/pressure/cpu'
    [[ $status != 0 ]]
    run exec_container runc idle sh -c 'echo x >/proc/meminfo'
    [[ $status != 0 && $output == *"Read-only file system"* ]]
}

@test "the worker dies: poll says that the trigger is gone, and a new one can be written" {
    needs_command python3
    busy_and_idle
    run python3 -c '
import os, select, signal, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
def wait():
    poll = select.poll()
    poll.register(fd, select.POLLPRI)
    return poll.poll(20000)[0][1]
os.write(fd, b"some 100000 2000000")
assert wait() == select.POLLPRI
os.kill(int(sys.argv[2]), signal.SIGKILL)
while not wait() & select.POLLERR: time.sleep(0.01)
os.write(fd, b"some 100000 2000000")
assert wait() == select.POLLPRI
' "/proc/$(container_pid busy)/root/proc/pressure/cpu" "$(worker_pid)"
    [[ $status == 0 ]] || fail "$output"
}

@test "the container ends while its trigger is polled" {
    needs_command python3
    busy_and_idle
    python3 -c '
import os, select, sys
fd = os.open(sys.argv[1], os.O_RDWR)
os.write(fd, b"some 100000 2000000")
open(sys.argv[2], "w").close()
poll = select.poll()
poll.register(fd, select.POLLPRI)
while True:
    events = poll.poll(60000)
    if not events: sys.exit("nothing was told")
    if events[0][1] & select.POLLERR: break
' "/proc/$(container_pid idle)/root/proc/pressure/cpu" "$WORK/written" 3>&- &
    local poller=$!
    wait_for 10 test -e "$WORK/written"
    delete_container runc idle
    wait $poller
    look busy /proc/pressure/cpu >/dev/null
}
