/// How an engine is made to read its configuration again.
struct EngineRestart {
    /// A word of systemctl that does nothing if the engine does not run.
    let verb: String
    let unit: String
    /// The same for who types it, and what becomes of the containers that run.
    let note: String
}
