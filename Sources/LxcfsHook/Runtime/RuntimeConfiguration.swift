import JSON
import OCISpec

/// The administrator's choices for `lxcfs-runtime`.
///
///     {"runtime": "crun", "containers": "annotated", "options": ["--affinity"]}
///
/// Strict, as the policy is.
struct RuntimeConfiguration: Document {
    static let documentName = "configuration"
    static let sizeLimit = 1 << 16

    /// Which containers are served.
    enum Containers: String, FieldValue {
        /// All that do not say otherwise.
        case all
        /// Those that ask for it.
        case annotated
    }

    /// Path or name of the real runtime.
    var runtime: String?
    var containers: Containers?
    /// The program that becomes the hook.
    var hook: String?
    /// Options of `lxcfs-hook`, which hold here, too, and are passed on to it.
    var options: [String]?
    /// As `--required`.
    var required: Bool?
    var additional: JSONObject = [:]

    static let usualHook = "/usr/libexec/oci/lxcfs-hook"

    init() {}

    mutating func visit(_ fields: inout some FieldVisitor) throws(JSONFault) {
        try fields.optional("runtime", &runtime)
        try fields.optional("containers", &containers)
        try fields.optional("hook", &hook)
        try fields.optional("options", &options)
        try fields.optional("required", &required)
    }

    var fault: (path: String, problem: String)? {
        if let key = additional.keys.min() { return (key, "no such setting") }
        if let runtime, runtime.isEmpty || !runtime.hasPrefix("/") && runtime.contains("/") {
            return ("runtime", "\(runtime.debugDescription) is no name and no absolute path")
        }
        if let hook, !hook.hasPrefix("/") {
            return ("hook", "\(hook.debugDescription) is not absolute")
        }
        return nil
    }

    /// The options of the hook, understood; not yet with the administrator's policy.
    func hookOptions() throws(UsageError) -> Options {
        let arguments = try Arguments(["precreate"] + allOptions)
        guard arguments.command == .precreate else {
            throw UsageError(description: "options: only options of the stages are for here")
        }
        guard arguments.options.runtime == nil else {
            throw UsageError(description: "options: --runtime is the setting runtime here")
        }
        return arguments.options
    }

    /// What the hook's entry in config.json has behind the stage: its stages do not take what is
    /// for ``Precreate``.
    var hookArguments: [String] { allOptions.filter { !Self.ofPrecreate.contains($0) } }

    private static let ofPrecreate = ["--sysinfo", "--no-sysinfo", "--affinity", "--time"]

    private var allOptions: [String] {
        let options = options ?? []
        return required == true && !options.contains("--required")
            ? options + ["--required"] : options
    }
}
