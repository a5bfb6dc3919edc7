"""left.py KEEPER WORKER WHAT [ARGUMENT...]: does to what a worker leaves to the next one, and to its
keeper, what code in a worker that has been taken over can do: with copies of their descriptors, which
root can have (pidfd_getfd(2)).

poison        has descriptors kept under the names of the daemon's parts that are something else
flood SECONDS SIZE   has descriptors kept under names of SIZE bytes, as fast as it goes; says how many
aide SEED SECONDS    asks the worker's aide for anything, with the worker stopped; says how often
nonsense SEED        sends 2,000 messages of all kinds in any order, until it is disconnected
garbage SEED SECONDS PART   writes numbers over the shared memory: header, tables or requests
"""
import array
import ctypes
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time

KEEPER, WORKER, WHAT = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
ARGUMENTS = sys.argv[4:]
PIDFD_GETFD = 438
REQUESTS, ROOM = 69_242_880 + 16384, 1 << 20 | 1 << 16
PARTS = {"header": (0, 16384), "tables": (1024, REQUESTS), "requests": (REQUESTS, 1 << 62)}
LIBC = ctypes.CDLL(None, use_errno=True)


def descriptors(pid, wanted):
    """Copies of those whose link text begins with `wanted`."""
    process = os.pidfd_open(pid)
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            text = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue
        if text.startswith(wanted):
            copy = LIBC.syscall(PIDFD_GETFD, process, int(number), 0)
            if copy >= 0:
                yield copy
    os.close(process)


def link(maker=KEEPER):
    """The worker's end of its connection to the keeper, or of one that it has made itself."""
    for number in descriptors(WORKER, "socket:"):
        end = socket.socket(fileno=number)
        try:
            kind = end.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
            peer = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        except OSError:
            continue
        if kind == socket.SOCK_SEQPACKET and struct.unpack("iii", peer)[0] == maker:
            end.settimeout(10)
            return end
    sys.exit("there is no connection to the keeper")


def send(end, message, files=()):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
    end.sendmsg([json.dumps(message).encode() + b"\n"], rights)


def keep(end, name, file, payload=""):
    send(end, {"kind": "keep", "name": name, "payload": payload}, [file])


def poison():
    end = link()
    null = os.open("/dev/null", os.O_RDWR)
    readable = os.eventfd(1)
    poll = select.epoll().fileno()
    small = os.memfd_create("small")
    for token, file in enumerate([null, readable, poll, small], 1 << 20):
        keep(end, f"seccomp:{token}", file)
        keep(end, f"state:x{token}", file, "{}")
        keep(end, f"requests-aside:{token}", file)
    keep(end, "requests-aside:1", null)
    keep(end, f"seccomp:{1 << 63}", null)
    keep(end, "", null)
    keep(end, "state:../../x", small, json.dumps({"id": "../../x"}))


def flood(seconds, size):
    end = link()
    null = os.open("/dev/null", os.O_RDWR)
    until = time.monotonic() + float(seconds)
    count = 0
    while time.monotonic() < until:
        try:
            keep(end, f"{count}:" + "x" * int(size), null)
        except OSError as error:
            print(error)
            break
        count += 1
    print(count)


def aide(seed, seconds):
    os.kill(WORKER, signal.SIGSTOP)
    end, chance = link(WORKER), random.Random(int(seed))
    files = [os.open(path, os.O_RDONLY) for path in ("/dev/null", "/sys/fs/cgroup", "/proc", "/etc/passwd")]
    threads = [0, 1, -1, KEEPER, WORKER, os.getpid(), (1 << 31) - 1]
    until, count = time.monotonic() + float(seconds), 0
    while time.monotonic() < until:
        request = struct.pack(
            "IiQII", chance.choice([0, 1, 2, 3, 4, 4, 5, 6, 7, 1 << 31]), chance.choice(threads),
            chance.choice([0, 1, 4096, (1 << 64) - 1, chance.getrandbits(47)]),
            chance.choice([0, 1, 2, 3, 7, 77, (1 << 32) - 1]), chance.randrange(2))
        request += bytes(chance.choice([0, 0, 8, 112, 1024, 2024, 2025, 9000]))
        if chance.random() < 0.1:
            request = request[:chance.randrange(1, 24)]
        rights = array.array("i", chance.choices(files, k=chance.choice([0, 0, 1, 2, 60])))
        end.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if rights else [])
        _, ancillary, _, _ = end.recvmsg(64, socket.CMSG_SPACE(64))
        for _, _, data in ancillary:
            for number in array.array("i", data):
                os.close(number)
        count += 1
    print(count)


def nonsense(seed):
    end, chance = link(), random.Random(int(seed))
    kinds = ["ready", "serving", "keep", "forget", "answer", "serve", "finish", "ask", "what", ""]
    null = os.open("/dev/null", os.O_RDWR)
    for _ in range(2000):
        message = {"kind": chance.choice(kinds)}
        if chance.random() < 0.6:
            message["name"] = chance.choice(
                ["", "a", "seccomp:1", "seccomp:x", "x" * 9000, "\u0000\n", "state:a", "requests-aside:1"])
        if chance.random() < 0.6:
            message["payload"] = chance.choice(["", "{}", "y" * 8192, "y" * 8193])
        if chance.random() < 0.6:
            message["contract"] = chance.choice([0, -1, 1, 2, 1 << 31, (1 << 63) - 1])
        try:
            send(end, message, [null] * chance.choice([0, 0, 1, 1, 2, 3, 50, 253]))
        except OSError:
            return


def garbage(seed, seconds, part):
    memory = next(descriptors(KEEPER, "/memfd:lxcfsd "))
    chance = random.Random(int(seed))
    low, high = PARTS[part]
    high = min(high, os.fstat(memory).st_size)
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        for _ in range(500):
            number = chance.choice([0, 1, 40, 0xFFFFFFFF, ROOM, chance.getrandbits(32), WORKER])
            os.pwrite(memory, struct.pack("I", number), chance.randrange(low, high) & ~3)
        # Where a request begins, and who receives there.
        for base in range(REQUESTS, high if part == "requests" else REQUESTS, ROOM):
            size = chance.choice([40, 80, 1 << 20, 0xFFFFFFFF])
            head = struct.pack("IIQQ", size, chance.randrange(60), chance.getrandbits(64), 1)
            os.pwrite(memory, head, base)
            who = struct.pack("iI", chance.choice([0, -1, 1, WORKER, KEEPER]), chance.choice([0, 1, 5]))
            os.pwrite(memory, who, base + ROOM - 8)
        time.sleep(0.002)


{"poison": poison, "flood": flood, "aide": aide, "nonsense": nonsense, "garbage": garbage}[WHAT](*ARGUMENTS)
