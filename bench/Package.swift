// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "lancer-bench",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "lancer", path: "..")],
    targets: [
        .executableTarget(
            name: "lancer-bench",
            dependencies: [.product(name: "Lancer", package: "lancer")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
