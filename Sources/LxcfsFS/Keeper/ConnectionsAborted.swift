/// Somebody has unmounted or aborted a connection, and nothing would be answered any more.
///
/// The keeper ends as if it had been killed: what is stored with a service manager is for the next
/// one, which finds that out, makes the connections anew and goes on with the rest.
struct ConnectionsAborted: Error, CustomStringConvertible {
    let description = "a connection has been unmounted or aborted by somebody else"
}
