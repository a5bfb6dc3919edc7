import OCISpec

/// The file of the administrator's policy.
enum PolicyFile {
    /// Read if it is there, unless the command line names another one.
    static let usual = "/etc/lxcfs-hook/policy.json"

    /// Applies the policy to `options`.
    ///
    /// - Throws: if the file that is named cannot be read, is not root's alone, or makes no sense.
    ///   Then it is not known what users may undo, and the hook does nothing.
    /// - Returns: its path; nil if there is none.
    @discardableResult
    static func apply(to options: inout Options) throws(InputError) -> String? {
        let path = options.policyPath ?? usual
        let policy: AdministratorPolicy
        do {
            guard
                let json = try TrustedFile.read(path, limit: AdministratorPolicy.sizeLimit)
            else {
                if options.policyPath == nil { return nil }
                throw InputError(
                    description:
                        "there is no \(path); name another one with --policy")
            }
            policy = try AdministratorPolicy(json: json)
        } catch let error as DocumentError {
            throw InputError(description: "\(path): \(error)")
        } catch {
            if TrustedFile.bindsNobody(error) { return nil }
            throw InputError(description: "\(error)")
        }
        if policy.required == true { options.isRequired = true }
        options.allowedAnnotations = policy.annotations
        if let names = policy.excuses {
            options.excuses = names.compactMap(Excuse.init(rawValue:))
            if !options.excuses.contains(.hostPID) { options.attachesHostPID = true }
            if !options.excuses.contains(.unmasked) { options.attachesUnmasked = true }
        }
        return path
    }
}
