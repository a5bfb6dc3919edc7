import Glibc

/// With which runtime a container will be created, as far as a hook at `precreate` can tell:
/// podman does not say.
///
/// `podman run` takes what its command line names, else what containers.conf does, else crun, else
/// runc. At any other start (`podman start`, a restart policy, the service) it takes the one with
/// which the container was made first, and only podman knows that: then it may be any.
struct RuntimeChoice: Equatable {
    /// Names or paths. More than one: podman may take any of them.
    let candidates: [String]
    /// The paths at which a runtime that podman knows by its name may be.
    private let places: [String: [String]]

    static let names = ["crun", "runc"]
    private static let directories = [
        "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/sbin", "/bin",
    ]

    /// - Parameters:
    ///   - option: what the hook's own command line names.
    ///   - parent: nil if something else than podman has started the hook.
    init(option: String?, parent: PodmanCommandLine?, configuration: PodmanConfiguration) {
        let isNew = parent?.command == "run"
        let installed = Self.names.filter { name in
            Self.places(of: name).contains { access($0, X_OK) == 0 }
        }
        if isNew, let named = parent?.runtime {
            candidates = [named]
        } else if let option {
            candidates = [option]
        } else if isNew {
            candidates = Array((configuration.runtime.map { [$0] } ?? installed).prefix(1))
        } else {
            let others = [parent?.runtime, configuration.runtime].compactMap { $0 }
            candidates = others + installed.filter { !others.contains($0) }
        }
        places = Dictionary(
            candidates.map { ($0, configuration.paths(ofRuntime: $0) + Self.places(of: $0)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The one that is known to create the container.
    init(path: String) {
        candidates = [path]
        places = [path: [path]]
    }

    static func find(_ options: Options) -> RuntimeChoice {
        RuntimeChoice(
            option: options.runtime,
            parent: RuntimeArguments.ofParent().flatMap { PodmanCommandLine(words: $0.words) },
            configuration: PodmanConfiguration())
    }

    private static func places(of name: String) -> [String] {
        name.contains("/") ? [name] : directories.map { "\($0)/\(name)" }
    }

    /// The programs of all candidates.
    func all() throws(PrecreateError) -> [String] {
        if candidates.isEmpty {
            throw PrecreateError("it is not known which runtime will start it; see --runtime")
        }
        var paths: [String] = []
        for name in candidates {
            let found = places[name]?.first { access($0, X_OK) == 0 }
            guard let found else {
                throw PrecreateError("the runtime \(name) is not found; see --runtime")
            }
            paths.append(found)
        }
        return paths
    }

    /// Why the runtime should not be made to hand over notify descriptors unasked; nil if it may.
    ///
    /// runc 1.1 and crun 0.19 do. Others, those above all that start virtual machines, may not
    /// start the container.
    var listenerObjection: String? {
        guard candidates.count == 1, let name = candidates[0].split(separator: "/").last,
            !Self.names.contains(String(name))
        else { return nil }
        return """
            the runtime \(name) is neither crun nor runc; \
            \(ContainerWishes.prefix)sysinfo=true does it all the same
            """
    }
}
