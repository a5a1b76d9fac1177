// swift-tools-version: 6.0
import AppleProductTypes
import PackageDescription

// An app package: Xcode and Swift Playgrounds open this folder. 'hierattn bundle' puts
// Resources/HierAttn.bundle there; without it nothing builds, which is meant.
let package = Package(
    name: "HierAttnDemo",
    defaultLocalization: "en",
    platforms: [.iOS("16.0")],
    products: [
        .iOSApplication(
            name: "HierAttnDemo", targets: ["HierAttnDemo"], bundleIdentifier: "org.hierattn.demo",
            displayVersion: "1.0", bundleVersion: "1",
            supportedDeviceFamilies: [.pad, .phone],
            supportedInterfaceOrientations: [.portrait, .landscapeLeft, .landscapeRight])
    ],
    dependencies: [
        .package(path: "../HierAttnCore"), .package(path: "../HierAttnCoreML"),
    ],
    targets: [
        .executableTarget(
            name: "HierAttnDemo", dependencies: ["HierAttnCore", "HierAttnCoreML"], path: ".",
            sources: ["Sources"],
            resources: [
                .copy("Resources/HierAttn.bundle"), .copy("Resources/PrivacyInfo.xcprivacy"),
                .process("Resources/en.lproj"), .process("Resources/de.lproj"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
