#!/usr/bin/env python3
"""Has the hook attach again and again while a container replaces the places below it.

race.py HOOK RUNTIME-DIR LXCFS-DIR VICTIM RACER-PID TRIES [BUNDLE]

RACER-PID is a `racer` (Tests/e2e/programs/racer.c) in the container's mount namespace. Without
BUNDLE the hook is run as `attach` and `detach` in turns, with it as createRuntime, as a runtime
does before the container starts.

After each try the racer is stopped where it has taken back its changes, and every FUSE mount of
its namespace must lie on procfs or sysfs; this namespace must have none that it had not before,
and VICTIM, the file that the racer offers as a target, must be what it was.
"""

import collections
import json
import os
import signal
import subprocess
import sys
import time

hook, runtime_dir, lxcfs, victim, racer, tries = sys.argv[1:7]
bundle = sys.argv[7] if len(sys.argv) > 7 else None
racer, tries = int(racer), int(tries)
Mount = collections.namedtuple("Mount", "parent place type")


def mounts(pid):
    with open(f"/proc/{pid}/mountinfo") as file:
        found = {}
        for line in file:
            words = line.split()
            kind = words[words.index("-", 6) + 1]
            found[words[0]] = Mount(words[1], words[4], kind)
        return found


def is_daemons(place):
    """One of the daemon's own mounts."""
    return any(place == top or place.startswith(top + "/")
               for top in (lxcfs, runtime_dir + "/tree"))


def is_served(mount):
    """Of the daemon, or a filesystem of the container's own over that."""
    return mount.type.startswith("fuse") or mount.type == "overlay"


def outside(table):
    """FUSE mounts that lie on something other than procfs, sysfs or such a FUSE mount."""
    for mount in table.values():
        if not is_served(mount) or is_daemons(mount.place):
            continue
        below = table.get(mount.parent)
        while below and is_served(below):
            below = table.get(below.parent)
        if below is None or below.type not in ("proc", "sysfs"):
            yield f"{mount.place} on {below.place + ' ' + below.type if below else 'nothing'}"


def own_served():
    """Containers come and go below the daemon's own mounts; nothing else may."""
    return sorted(m.place for m in mounts("self").values()
                  if is_served(m) and not is_daemons(m.place))


def contents():
    with open(victim) as file:
        return file.read()


def settle():
    """Waits until the racer has stopped between two changes, or because of what it found."""
    deadline = time.monotonic() + 60
    asked = False
    while True:
        with open(f"/proc/{racer}/stat") as file:
            state = file.read().rsplit(")", 1)[1].split()[0]
        if state == "T":
            return
        if state in "ZX" or time.monotonic() > deadline:
            sys.exit(f"the racer does not stop: state {state}")
        if not asked:
            os.kill(racer, signal.SIGUSR1)
            asked = True
        time.sleep(0.0002)


def commands():
    options = ["--runtime-dir", runtime_dir, "--no-syslog"]
    if bundle:
        state = {"ociVersion": "1.0.2", "id": "race", "status": "creating", "pid": racer,
                 "bundle": bundle}
        return [([hook, "createRuntime", *options], json.dumps(state))]
    return [([hook, verb, str(racer), "--id", "race", *options], "")
            for verb in ("attach", "attach", "detach")]


def run(command, state):
    """A hook that hangs holds up the container's start: where, is worth knowing."""
    process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(state, timeout=30)
    except subprocess.TimeoutExpired:
        for name in ("syscall", "wchan", "stack", "mountinfo"):
            with open(f"/proc/{process.pid}/{name}") as file:
                print(name, file.read())
        process.kill()
        sys.exit(f"the hook hangs: {' '.join(command)}")
    return process.returncode, output


def main():
    before, text = own_served(), contents()
    turns = commands()
    escapes, mounted, hindered, exits = [], 0, 0, collections.Counter()
    for number in range(tries):
        command, state = turns[number % len(turns)]
        status, output = run(command, state)
        exits[status] += 1
        if status not in (0, 1):
            sys.exit(f"try {number}: exit {status}: {output}")
        hindered += any(word in output for word in (" warning: ", " error: "))
        settle()
        table = mounts(racer)
        mounted += any(is_served(m) and not is_daemons(m.place) for m in table.values())
        faults = list(outside(table))
        if own_served() != before:
            faults.append(f"in the host's namespace: {own_served()}")
        if contents() != text:
            faults.append(f"{victim} is not what it was")
        if faults:
            escapes.append(f"try {number}: {'; '.join(faults)}\n{output}")
        os.kill(racer, signal.SIGCONT)
    print(f"{tries} tries, {len(escapes)} escapes; exit 0: {exits[0]}, exit 1: {exits[1]}; "
          f"hindered {hindered}, something mounted after {mounted}")
    for escape in escapes[:5]:
        print(escape)
    # A race that the hook always wins, or always loses, shows nothing.
    if mounted == 0 or hindered in (0, tries):
        sys.exit("not a race")
    sys.exit(1 if escapes else 0)


main()
