/// Names in the trees that more than one part of the daemon has to know.
package enum TreeNames {
    /// The directory of the containers' connection on which the connection that knows opens is.
    package static let opens = ".opens"
}
