import CFuse3
import Glibc
import LxcfsHandover
import LxcfsPageCache

/// How the content of the files of a connection is served: from the kernel's page cache
/// (``PageCacheFiles``), or as a snapshot for each open (``SnapshotFiles``). Each function
/// answers its request.
protocol FileServer: Sendable {
    /// What the kernel is told of the size when it looks the name up; nil if it is told
    /// nothing.
    func sizeForLookup(of node: NodeID) -> FileSize?

    /// - Parameter attributes: what is known of the file anyway.
    func getattr(_ request: fuse_req_t, _ node: NodeID, _ attributes: stat)

    func open(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>)

    func read(
        _ request: fuse_req_t, _ node: NodeID, size: Int, offset: Int,
        _ file: UnsafeMutablePointer<fuse_file_info>?)

    func write(
        _ request: fuse_req_t, _ node: NodeID, _ text: UnsafeRawBufferPointer,
        _ file: UnsafeMutablePointer<fuse_file_info>?)

    /// - Parameter handle: whom to wake; taken over.
    func poll(
        _ request: fuse_req_t, _ node: NodeID, _ file: UnsafeMutablePointer<fuse_file_info>?,
        _ handle: OpaquePointer?)

    func release(_ request: fuse_req_t, _ file: UnsafeMutablePointer<fuse_file_info>)
}

/// Answers a READ.
func reply(_ request: fuse_req_t, _ bytes: UnsafeBufferPointer<UInt8>) {
    bytes.withMemoryRebound(to: CChar.self) {
        _ = fuse_reply_buf(request, $0.baseAddress, $0.count)
    }
}
