import Glibc

/// Room in files (fallocate(2)). The size of the file stays.
extension FileDescriptor {
    /// Takes room for `count` bytes at `offset`: to write there cannot fail for want of it.
    public func makeRoom(at offset: Int, count: Int, path: String) throws(SystemError) {
        _ = try attempting("make room in", path) {
            fallocate(raw, FALLOC_FL_KEEP_SIZE, off_t(offset), off_t(count))
        }
    }

    /// Gives the room of `count` bytes at `offset` back; they read as zero then.
    public func giveBackRoom(at offset: Int, count: Int, path: String) throws(SystemError) {
        _ = try attempting("give back room in", path) {
            fallocate(
                raw, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, off_t(offset), off_t(count))
        }
    }
}
