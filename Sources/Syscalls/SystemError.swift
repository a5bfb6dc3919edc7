import Glibc

/// A system call that failed: what was tried, on what, and the kernel's answer.
///
/// The description reads `cannot <operation> <path>: <errno in words>`.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, as a verb phrase: `open`, `read`, `mount over`.
    public let operation: String
    /// The file, socket or other object that it was tried on.
    public let path: String?
    /// The `errno` of the call (errno(3)).
    public let errno: CInt

    public init(_ operation: String, _ path: String? = nil, errno: CInt) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    /// Neither this process nor the machine has descriptors left.
    public var isOutOfDescriptors: Bool { errno == EMFILE || errno == ENFILE }

    public var description: String {
        let object = path.map { " \($0)" } ?? ""
        return "cannot \(operation)\(object): \(errnoInWords(errno))"
    }
}

/// The message of strerror(3) for `errno`.
public func errnoInWords(_ errno: CInt) -> String {
    strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
}

/// Turns the `-errno` convention of CLinux into a thrown error.
@inline(__always)
func check<Value: SignedInteger>(
    _ result: Value, _ operation: @autoclosure () -> String, _ path: @autoclosure () -> String?
) throws(SystemError) -> Value {
    if result < 0 {
        throw SystemError(operation(), path(), errno: CInt(-result))
    }
    return result
}

/// Runs a libc call that reports through `errno`, once.
@inline(__always)
func attempting<Value: SignedInteger>(
    _ operation: @autoclosure () -> String, _ path: @autoclosure () -> String?,
    _ call: () -> Value
) throws(SystemError) -> Value {
    let result = call()
    if result >= 0 { return result }
    let code = Glibc.errno
    throw SystemError(operation(), path(), errno: code)
}

/// Runs a libc call that reports through `errno` until no signal interrupts it.
@inline(__always)
func retrying<Value: SignedInteger>(
    _ operation: @autoclosure () -> String, _ path: @autoclosure () -> String?,
    _ call: () -> Value
) throws(SystemError) -> Value {
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = Glibc.errno
        if code != EINTR { throw SystemError(operation(), path(), errno: code) }
    }
}
