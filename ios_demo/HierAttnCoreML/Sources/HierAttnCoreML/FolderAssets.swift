#if canImport(CoreML)
import Foundation
import HierAttnCore

/// The files of a bundle in a folder, such as `HierAttn.bundle` among an app's resources.
public struct FolderAssets: AssetReader {
    /// The bundle's folder.
    public let folder: URL

    public init(_ folder: URL) {
        self.folder = folder
    }

    public func read(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
    }
}
#endif
