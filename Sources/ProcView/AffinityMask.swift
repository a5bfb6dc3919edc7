/// sched_getaffinity(2) for a container with a CPU quota: the first CPUs of the real mask.
public enum AffinityMask {
    /// Clears all bits of `mask` but the `count` lowest that are set. A mask is an array of
    /// 64-bit words in the byte order of this machine; a rest of less than a word is cleared.
    ///
    /// - Parameter count: at least 1, for a thread can always run somewhere.
    /// - Returns: whether any bit was cleared.
    public static func keepFirst(_ count: Int, of mask: UnsafeMutableRawBufferPointer) -> Bool {
        var left = max(count, 1)
        var changed = false
        let wordSize = MemoryLayout<UInt64>.size
        var offset = 0
        while offset + wordSize <= mask.count {
            let word = mask.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            var kept: UInt64 = 0
            var rest = word
            while rest != 0, left > 0 {
                let lowest = rest & (~rest &+ 1)
                kept |= lowest
                rest &= ~lowest
                left -= 1
            }
            if rest != 0 { changed = true }
            mask.storeBytes(of: kept, toByteOffset: offset, as: UInt64.self)
            offset += wordSize
        }
        while offset < mask.count {
            if mask[offset] != 0 { changed = true }
            mask[offset] = 0
            offset += 1
        }
        return changed
    }
}
