import KernelText
import Testing

@testable import LxcfsFS

@Suite struct VisibleCPUsTests {
    private func update(
        _ visible: inout VisibleCPUs, _ cpuset: String?, _ online: String, _ quota: Int?
    ) -> Bool {
        let onlineBytes = Array(online.utf8)
        guard let cpuset else {
            return onlineBytes.withUnsafeBufferPointer {
                visible.update(cpuset: nil, online: $0, quota: quota)
            }
        }
        return onlineBytes.withUnsafeBufferPointer { online in
            Array(cpuset.utf8).withUnsafeBufferPointer {
                visible.update(cpuset: $0, online: online, quota: quota)
            }
        }
    }

    @Test func cpusetAndQuota() {
        var visible = VisibleCPUs()
        #expect(update(&visible, nil, "0-7", nil))
        #expect(visible.list.cpus == Array(0...7))
        #expect(!update(&visible, nil, "0-7", nil))
        #expect(update(&visible, "2-5", "0-7", nil))
        #expect(visible.list.cpus == [2, 3, 4, 5])
        #expect(update(&visible, "2-5", "0-7", 2))
        #expect(visible.list.cpus == [2, 3])
        #expect(visible.affinity.cpus == [2, 3, 4, 5])
        #expect((1...4).map(visible.extent) == [.offline, .visible, .visible, .usable])
        #expect(!update(&visible, "2-6", "0-7", 2))
        #expect(update(&visible, "2-5", "0-1,3-7", 2))
        #expect(visible.list.cpus == [3, 4])
    }

    @Test func neverNone() {
        var visible = VisibleCPUs()
        _ = update(&visible, "8-9", "0-1", nil)
        #expect(visible.list.cpus == [0, 1])
        _ = update(&visible, "0-1", "0-1", 0)
        #expect(visible.list.cpus == [0])
        _ = update(&visible, "garbage", "garbage", nil)
        #expect(visible.list.cpus == [0])
    }
}
