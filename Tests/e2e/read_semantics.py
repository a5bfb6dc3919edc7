"""Reads a virtual file in every way that there is; the arguments are files."""
import mmap
import os
import sys
import time

WINDOW = 0.01


def sendfile(fd, count=1 << 20, offset=None):
    """The bytes that sendfile(2) gives."""
    reader, writer = os.pipe()
    try:
        sent = os.sendfile(writer, fd, offset, count)
        return os.read(reader, 1 << 20) if sent else b""
    finally:
        os.close(reader)
        os.close(writer)


def whole(path):
    with open(path, "rb", buffering=0) as file:
        return file.read()


def check(path):
    # Before anything else has looked at it.
    fd = os.open(path, os.O_RDONLY)
    try:
        first = sendfile(fd)
    except OSError as error:
        # The content has outgrown its size since that was told: callers fall back to read.
        assert error.errno == 22, error
        first = whole(path)
    assert first, "sendfile gives nothing"
    content = whole(path)
    assert content.endswith(b"\n") and b"\0" not in content, content
    assert first.endswith(b"\n") and b"\0" not in first, first
    shape = [len(line.split()) for line in content.splitlines()]
    assert [len(line.split()) for line in first.splitlines()] == shape

    # Byte by byte, and past the end.
    os.lseek(fd, 0, 0)
    small = b""
    while byte := os.read(fd, 1):
        small += byte
        if len(small) > 1 << 16:
            break
    assert len(small) == 65537 or small.endswith(b"\n"), small
    assert os.pread(fd, 100, 1 << 20) == b""
    assert os.pread(fd, 1, len(whole(path))) == b""

    # pread at any offset of a fresh descriptor.
    for offset in {0, 1, min(7, len(content) - 1), len(content) - 1}:
        other = os.open(path, os.O_RDONLY)
        assert os.pread(other, 1, offset), offset
        os.close(other)
    os.close(fd)


def changes(path):
    """Every way of reading sees new content once its time is over (docs/reading.md)."""
    fd = os.open(path, os.O_RDONLY)
    os.read(fd, 100)

    def read():
        os.lseek(fd, 0, 0)
        return os.read(fd, 1 << 16)

    def one_byte_steps():
        return b"".join(os.pread(fd, 1, at) for at in range(8))

    def by_sendfile():
        try:
            return sendfile(fd, offset=0)
        except OSError as error:
            assert error.errno == 22, error
            return read()

    def mapped():
        size = os.fstat(fd).st_size
        with mmap.mmap(fd, size, mmap.MAP_PRIVATE, mmap.PROT_READ) as memory:
            return memory[:]

    memory = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)

    def mapped_long_ago():
        return memory[:8]

    for way in read, one_byte_steps, by_sendfile, mapped, mapped_long_ago:
        seen = set()
        # What does not ask for attributes sees pages until they are dropped.
        pause = WINDOW * 3 if way in (read, one_byte_steps) else max(WINDOW * 3, 0.15)
        for _ in range(6):
            seen.add(way())
            time.sleep(pause)
        assert len(seen) >= 4, (way.__name__, seen)
        assert all(b"\0" not in text for text in seen), (way.__name__, seen)
    os.close(fd)


def grows(path):
    """What is mapped follows content that becomes longer: uptime after 10 s."""
    while float(whole(path).split()[0]) < 9.5:
        time.sleep(0.05)
    fd = os.open(path, os.O_RDONLY)
    memory = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)
    seen = []
    for _ in range(20):
        seen.append(memory[:5])
        time.sleep(0.1)
    assert float(seen[0]) < 10, "too late"
    assert float(seen[-1]) > 10.5, seen
    # For sendfile, too.
    assert float(sendfile(fd, offset=0).split()[0]) > 10.5


if sys.argv[1] == "--longer":
    grows(sys.argv[2])
    sys.exit()

for path in sys.argv[1:]:
    try:
        check(path)
        if path.endswith("uptime"):
            changes(path)
    except AssertionError as error:
        sys.exit(f"{path}: {error}")
