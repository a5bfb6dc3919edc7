import Glibc
import LxcfsHandover
import LxcfsPageCache

extension stat {
    /// What stat(2) says of a node as long as nothing else is known of it.
    ///
    /// - Parameter time: all times, in seconds since 1970.
    init(_ node: NodeID, _ kind: NodeKind, time: Int) {
        self.init()
        st_ino = UInt(node.inode)
        st_nlink = 1
        st_mode = kind.type
        switch kind {
        case .directory:
            // Of a container it is the administrator's: names are only told to him, see
            // `Names`, and the kernel keeps out who follows him. Containers have mounts of what
            // is in it.
            let isContainer = node.file == FixedNode.top.rawValue && node.slot != 0
            st_mode |= isContainer ? 0o500 : 0o555
            st_nlink = 2
        case .file(let mode):
            st_mode |= mode
            // As in sysfs, where a multiple of the page size says: not known before it is
            // read. With 0, as in procfs, sendfile(2) would not even try.
            st_size = 4096
        case .link(let target):
            st_mode |= 0o777
            st_size = off_t(target.utf8.count)
        }
        st_blksize = 4096
        st_mtim.tv_sec = time
        st_ctim.tv_sec = time
        st_atim.tv_sec = time
    }

    mutating func set(_ size: FileSize) {
        st_size = off_t(size.bytes)
        st_mtim.tv_nsec = size.generation
    }
}
