/// A descriptor under the name that it has with the service manager and the next keeper.
struct StoredItem {
    let name: String
    /// Valid as long as the descriptor is held.
    let number: CInt
}
