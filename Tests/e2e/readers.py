"""Reads across a change of the daemon, in the ways that readload does not know.

readers.py WORK ROOT TREE: until WORK/readers.stop exists. ROOT is the root of a container with
96 MiB, TREE the mountpoint of the daemon. Makes WORK/readers.ready when each way has been gone
once. Prints what was wrong, then "reads N failed N wrong N longest_us N"; exit status 1 if
anything was.

Ways: snapshots that were opened and read before, from their second byte on; one that is read
so slowly that it lasts through several workers; a mapping from before; sendfile(2).
"""
import mmap
import os
import sys
import threading
import time

work, root, tree = sys.argv[1:]
stop = work + "/readers.stop"
lock = threading.Lock()
tally = {"reads": 0, "failed": 0, "wrong": 0, "longest_us": 0}
complaints = []


class Wrong(Exception):
    pass


def demand(condition, *what):
    if not condition:
        raise Wrong(" ".join(str(word) for word in what))


def count(way, started, kind=None, what=""):
    with lock:
        tally["reads"] += 1
        tally["longest_us"] = max(tally["longest_us"], int((time.monotonic() - started) * 1e6))
        if kind:
            tally[kind] += 1
            complaints.append(f"{way}: {kind}: {what}")


def words(text):
    """The first word of each line."""
    return [line.split()[0] for line in text.splitlines() if line.strip()]


# Each way: a generator that prepares, and then reads once for each step.


def snapshots():
    files = []
    for name in ("stat", "meminfo", "uptime", "loadavg") * 4:
        fd = os.open(f"{tree}/proc/{name}", os.O_RDONLY)
        files.append((fd, name, os.pread(fd, 1 << 20, 0)))
    while True:
        for fd, name, whole in files:
            rest = os.pread(fd, 1 << 20, 1)
            demand(rest == whole[1:], name, "was", whole[:60], "goes on with", rest[:60])
            yield


def slowly():
    known = None
    while True:
        fd = os.open(f"{tree}/proc/stat", os.O_RDONLY)
        text = b""
        # All of it lasts half a second.
        while piece := os.read(fd, 32):
            text += piece
            time.sleep(0.01)
            yield
        os.close(fd)
        known = known or words(text)
        demand(text.endswith(b"\n") and b"\0" not in text, "cut:", text[-60:])
        demand(words(text) == known, "other lines:", words(text)[:5])


def mapped():
    def keep(name):
        fd = os.open(f"{root}/proc/{name}", os.O_RDONLY)
        return mmap.mmap(fd, os.fstat(fd).st_size, mmap.MAP_SHARED, mmap.PROT_READ)

    for name in ("meminfo", "uptime"):
        with open(f"{root}/proc/{name}", "rb", buffering=0) as file:
            file.read()  # makes the size known
    meminfo, uptime = keep("meminfo"), keep("uptime")
    last = 0.0
    while True:
        text = meminfo[:]
        demand(text.startswith(b"MemTotal:"), "meminfo begins with", text[:40])
        demand(b" 98304 kB" in text[:60], "meminfo has", text[:60])
        now = float(uptime[:].split()[0])
        demand(now >= last, "uptime", now, "after", last)
        last = now
        yield


def sendfile():
    known = None
    reader, writer = os.pipe()
    while True:
        fd = os.open(f"{root}/proc/meminfo", os.O_RDONLY)
        try:
            sent = os.sendfile(writer, fd, 0, 1 << 16)
            text = os.read(reader, sent)
        except OSError as error:
            # It has outgrown its size since that was told: callers fall back to read(2).
            if error.errno != 22:
                raise
            text = os.pread(fd, 1 << 16, 0)
        finally:
            os.close(fd)
        known = known or words(text)
        demand(text.endswith(b"\n") and b"\0" not in text, "cut:", text[-60:])
        demand(words(text) == known, "other lines:", words(text)[:5])
        demand(b" 98304 kB" in text[:60], "meminfo has", text[:60])
        yield


def go(way, ready):
    steps = way()
    while not os.path.exists(stop):
        started = time.monotonic()
        try:
            next(steps)
            count(way.__name__, started)
        except Wrong as error:
            count(way.__name__, started, "wrong", error)
            steps = way()
        except OSError as error:
            count(way.__name__, started, "failed", error)
            steps = way()
        except (ValueError, IndexError) as error:
            count(way.__name__, started, "wrong", f"not a number: {error}")
            steps = way()
        ready.set()
        time.sleep(0.002)


threads = []
for way in snapshots, slowly, mapped, sendfile:
    ready = threading.Event()
    threads.append((threading.Thread(target=go, args=(way, ready)), ready))
for thread, _ in threads:
    thread.start()
for _, ready in threads:
    ready.wait()
open(work + "/readers.ready", "w").close()
for thread, _ in threads:
    thread.join()
print("\n".join(complaints[:10]))
print(" ".join(f"{name} {value}" for name, value in tally.items()))
sys.exit(bool(tally["failed"] or tally["wrong"]))
