/// Reads the files of a bundle, from an app's resources or from a folder.
public protocol AssetReader: Sendable {
    /// Read a whole file.
    ///
    /// - Parameter path: relative to the bundle's folder, with "/" between its parts.
    /// - Throws: there is no such file, or it cannot be read.
    func read(_ path: String) throws -> [UInt8]
}

/// A file or field of the bundle is not as `hierattn bundle` wrote it.
public struct BundleError: Error, Equatable, CustomStringConvertible {
    /// One line that names the file or field.
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
