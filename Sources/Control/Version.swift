/// The version of this software (semver.org).
public let version = "0.1.0"
