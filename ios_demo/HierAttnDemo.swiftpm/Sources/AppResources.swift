import Foundation

/// The app's own files: in the app itself, or in the bundle that Xcode makes of a package's target.
enum AppResources {
    static let bundle: Bundle = {
        let nested = Bundle.main.paths(forResourcesOfType: "bundle", inDirectory: nil)
        let places = [Bundle.main] + nested.compactMap { Bundle(path: $0) }
        return places.first { network(in: $0) != nil } ?? Bundle.main
    }()

    /// The folder that `hierattn bundle` filled; nil where there is none.
    static let network = network(in: bundle)

    private static func network(in bundle: Bundle) -> URL? {
        bundle.url(forResource: "HierAttn", withExtension: "bundle")
    }
}
