#!/usr/bin/env python3
"""Runs `lxcfsd top` on a terminal of its own, and looks whether that is as it was afterwards.

    top_terminal.py END LXCFSD RUNTIME-DIRECTORY

END is how it is ended: a key (q), the name of a signal (TERM), or `close` for a terminal that goes away.
Before that it is made narrow, sorted by a key, stopped and continued.
"""
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

end, lxcfsd, directory = sys.argv[1:]
patience = float(os.environ.get("E2E_PATIENCE", "1"))
terminal, inner = os.openpty()


def resize(columns, lines):
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


resize(100, 30)
before = termios.tcgetattr(inner)


def own_terminal():
    os.setsid()
    fcntl.ioctl(inner, termios.TIOCSCTTY, 0)


top = subprocess.Popen([lxcfsd, "top", "--runtime-dir", directory, "--delay", "0.3"],
                       stdin=inner, stdout=inner, stderr=inner, preexec_fn=own_terminal)
seen = ""


def output(until, seconds=10):
    """What comes until `until` is in it; all that has come is kept in `seen`."""
    global seen
    text = ""
    deadline = time.monotonic() + seconds * patience
    while until not in text:
        left = deadline - time.monotonic()
        assert left > 0, f"no {until!r} in {text!r}"
        if select.select([terminal], [], [], left)[0]:
            piece = os.read(terminal, 65536).decode()
            text += piece
            seen += piece
    return text


def lines_of(screen):
    """The lines of one drawing."""
    # The terminal makes a carriage return of its own before a newline.
    return [line.strip("\r") for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen).split("\n")]


def drawn():
    """The next drawing as a whole."""
    output("\x1b[H")
    return lines_of(output("\x1b[J").split("\x1b[J")[0])


first = output("\x1b[J")
assert first.startswith("\x1b[?1049h"), first
assert "by cpu" in first and "UP" in first, first
assert not termios.tcgetattr(inner)[3] & (termios.ICANON | termios.ECHO), "the terminal echoes"
os.write(terminal, b"m")
output("by memory")
# Narrow: as soon as the signal comes, nothing is wider.
resize(41, 6)
deadline = time.monotonic() + 10 * patience
while True:
    screen = drawn()
    if max(map(len, screen)) <= 41 and len(screen) <= 6:
        break
    assert time.monotonic() < deadline, screen
assert any("USED" not in line and "CPU%" in line for line in screen) or "UP" not in screen[1], screen
# Stopped: a shell has its terminal meanwhile.
os.kill(top.pid, signal.SIGTSTP)
_, status = os.waitpid(top.pid, os.WUNTRACED)
assert os.WIFSTOPPED(status), status
assert termios.tcgetattr(inner) == before, "stopped, the terminal is not as it was"
os.kill(top.pid, signal.SIGCONT)
output("\x1b[?1049h")
output("by mem")
expected = 0
if end == "close":
    # Who has a terminal that is gone is told by SIGHUP.
    os.close(inner)
    os.close(terminal)
    expected = -signal.SIGHUP
elif len(end) == 1:
    os.write(terminal, end.encode())
else:
    number = getattr(signal, "SIG" + end)
    os.kill(top.pid, number)
    expected = 0 if end == "INT" else -number
if end != "close":
    output("\x1b[?1049l")
    assert "\x1b[?25h" in seen and "\x1b[?7h" in seen
deadline = time.monotonic() + 10 * patience
while top.poll() is None:
    assert time.monotonic() < deadline, "it does not end"
    time.sleep(0.02)
assert top.returncode == expected, top.returncode
if end != "close":
    assert termios.tcgetattr(inner) == before, "the terminal is not as it was"
print("ok", end)
