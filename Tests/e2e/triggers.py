"""Pressure triggers (Documentation/accounting/psi.rst) on files that lxcfsd serves.

triggers.py BUSY IDLE PID: pressure files of a container that is short of CPU time and of one
that does nothing; the process number of the daemon's worker.
"""

import errno
import os
import select
import sys
import time

busy, idle, daemon = sys.argv[1:]
TRIGGER = b"some 100000 2000000"  # 100 ms in 2 s


def trigger(path, text=TRIGGER):
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    assert os.write(fd, text) == len(text)
    return fd


def wait(fd, seconds):
    poll = select.poll()
    poll.register(fd, select.POLLPRI)
    return poll.poll(seconds * 1000)


def refused(code, action):
    try:
        action()
    except OSError as error:
        assert error.errno == code, error
    else:
        sys.exit("not refused")


def descriptors():
    return len(os.listdir(f"/proc/{daemon}/fd"))


# An event, and the next one.
fd = trigger(busy)
for _ in range(2):
    events = wait(fd, 20)
    assert events and events[0][1] == select.POLLPRI, events
assert os.pread(fd, 4, 0) == b"some"
refused(errno.EBUSY, lambda: os.write(fd, TRIGGER))
assert wait(fd, 20), "no event after a trigger was refused"
os.close(fd)

# Nothing happens, nothing is told.
fd = trigger(idle)
assert wait(fd, 3) == []
os.close(fd)

# Nonsense.
fd = os.open(busy, os.O_RDWR)
refused(errno.EINVAL, lambda: os.write(fd, b"nonsense"))
assert wait(fd, 1)[0][1] & select.POLLERR, "a file without trigger"
os.close(fd)
fd = os.open(busy, os.O_RDONLY)
refused(errno.EBADF, lambda: os.write(fd, TRIGGER))
os.close(fd)
# As a shell does it.
fd = os.open(busy, os.O_WRONLY | os.O_TRUNC)
os.write(fd, TRIGGER)
os.close(fd)


def settled():
    for _ in range(200):
        if descriptors() <= before:
            return True
        time.sleep(0.05)
    return False


# Closed without being polled.
time.sleep(0.5)
before = descriptors()
for fd in [trigger(busy) for _ in range(50)]:
    os.close(fd)
assert settled(), f"{descriptors()} descriptors, {before} before"

# Many at once, all of them told.
many = [trigger(busy) for _ in range(30)]
epoll = select.epoll()
for fd in many:
    epoll.register(fd, select.EPOLLPRI)
told = set()
deadline = time.monotonic() + 30
while len(told) < len(many) and time.monotonic() < deadline:
    told.update(fd for fd, _ in epoll.poll(1))
assert len(told) == len(many), f"{len(told)} of {len(many)} were told"
epoll.close()
for fd in many:
    os.close(fd)
assert settled(), f"{descriptors()} descriptors, {before} before"
