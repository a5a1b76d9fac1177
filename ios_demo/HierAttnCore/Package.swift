// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "HierAttnCore",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "HierAttnCore", targets: ["HierAttnCore"])],
    targets: [
        .target(name: "HierAttnCore"),
        .testTarget(name: "HierAttnCoreTests", dependencies: ["HierAttnCore"]),
    ],
    swiftLanguageModes: [.v6]
)
