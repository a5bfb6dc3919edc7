import Glibc

/// The file of the ``RuntimeConfiguration``.
enum RuntimeConfigurationFile {
    static let usual = "/etc/lxcfs-hook/runtime.json"
    /// Names another file. Whoever starts a runtime may start any.
    static let variable = "LXCFS_RUNTIME_CONFIG"

    static var path: String {
        guard let other = getenv(variable), other.pointee != 0 else { return usual }
        return String(cString: other)
    }

    /// - Returns: one without any setting if there is no file.
    /// - Throws: why it does not count: it cannot be read, is not root's alone, or makes no sense.
    static func read() throws(InputError) -> RuntimeConfiguration {
        let path = path
        do {
            guard
                let json = try TrustedFile.read(path, limit: RuntimeConfiguration.sizeLimit)
            else { return RuntimeConfiguration() }
            do {
                return try RuntimeConfiguration(json: json)
            } catch {
                throw InputError(description: "\(path): \(error)")
            }
        } catch let error as InputError {
            throw error
        } catch {
            if TrustedFile.bindsNobody(error) { return RuntimeConfiguration() }
            throw InputError(description: "\(error)")
        }
    }
}
