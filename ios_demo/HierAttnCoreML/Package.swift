// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "HierAttnCoreML",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "HierAttnCoreML", targets: ["HierAttnCoreML"])],
    dependencies: [.package(path: "../HierAttnCore")],
    targets: [.target(name: "HierAttnCoreML", dependencies: ["HierAttnCore"])],
    swiftLanguageModes: [.v6]
)
