// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // Hot loops live behind module borders; without this a generic call across one costs up to 47 times more.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

/// A library target of the package: Swift, with the shared settings.
func layer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies + ["LancerTestSupport"],
        resources: resources,
        swiftSettings: swiftSettings
    )
}

let package = Package(
    name: "lancer",
    platforms: [.macOS(.v15), .iOS(.v18)],
    products: [
        .library(name: "Lancer", targets: ["Lancer"]),
        .executable(name: "lancer", targets: ["lancer-cli"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        // System libraries and the C calls that Swift's platform modules hide.
        .systemLibrary(
            name: "CZstd",
            pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]
        ),
        .systemLibrary(
            name: "CLZ4",
            pkgConfig: "liblz4",
            providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]
        ),
        .systemLibrary(
            name: "CZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        .target(name: "CPlatform"),
        // CRC-32C with the processor's help.
        .target(name: "CChecksum"),
        // Structures of the Arrow C data interface.
        .target(name: "CArrowData"),

        // Distances and scans in vector instructions; optimised in debug builds too, where tests would crawl otherwise.
        .target(name: "CLancerKernels", cSettings: [.unsafeFlags(["-O3"], .when(configuration: .debug))]),

        // Layers, lowest first. A target may use only targets above it in this list (PackageLayersTests checks).
        layer("LancerBytes", ["CPlatform"]),
        layer("LancerCodecs", ["LancerBytes", "CChecksum", "CZstd", "CLZ4", "CZlib"]),
        layer("LancerKernels", ["CLancerKernels"]),
        layer("LancerArrow", ["LancerBytes", "LancerCodecs", "CArrowData"]),
        layer("LancerExpression", ["LancerBytes", "LancerArrow"]),
        layer("LancerProto", [.product(name: "SwiftProtobuf", package: "swift-protobuf")]),
        layer(
            "LancerEncoding",
            [
                "LancerBytes", "LancerCodecs", "LancerArrow", "LancerProto",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        layer(
            "LancerFile",
            [
                "LancerBytes", "LancerCodecs", "LancerArrow", "LancerProto", "LancerEncoding",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        layer(
            "LancerIndex",
            [
                "LancerBytes", "LancerKernels", "LancerArrow", "LancerProto", "LancerFile",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        layer("LancerStorage", ["LancerBytes", "CPlatform"]),
        layer("LancerParquet", ["LancerBytes", "LancerCodecs", "LancerArrow"]),
        layer("LancerInterchange", ["LancerBytes", "LancerArrow"]),
        layer(
            "LancerTable",
            [
                "LancerBytes", "LancerCodecs", "LancerArrow", "LancerExpression", "LancerProto", "LancerFile",
                "LancerKernels", "LancerIndex", "LancerStorage",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        layer(
            "Lancer",
            [
                "LancerBytes", "LancerArrow", "LancerExpression", "LancerFile", "LancerKernels", "LancerIndex",
                "LancerStorage", "LancerTable", "LancerInterchange",
            ]
        ),
        .executableTarget(
            name: "lancer-cli",
            dependencies: [
                "Lancer", "LancerBytes", "LancerCodecs", "LancerArrow", "LancerExpression", "LancerProto",
                "LancerEncoding", "LancerFile", "LancerKernels", "LancerIndex", "LancerStorage", "LancerTable",
                "LancerInterchange", "LancerParquet", "CPlatform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: swiftSettings
        ),

        // Tests.
        .target(
            name: "LancerTestSupport",
            dependencies: ["LancerBytes", "LancerArrow"],
            path: "Tests/LancerTestSupport",
            swiftSettings: swiftSettings
        ),
        tests("LancerBytesTests", ["LancerBytes"]),
        tests("LancerCodecsTests", ["LancerBytes", "LancerCodecs", "CChecksum"]),
        tests("LancerKernelsTests", ["LancerKernels"]),
        tests(
            "LancerIndexTests",
            ["LancerBytes", "LancerArrow", "LancerKernels", "LancerProto", "LancerFile", "LancerIndex"]
        ),
        tests("LancerArrowTests", ["LancerBytes", "LancerArrow", "CArrowData"]),
        tests("LancerExpressionTests", ["LancerBytes", "LancerArrow", "LancerExpression"]),
        tests("LancerEncodingTests", ["LancerBytes", "LancerCodecs", "LancerArrow", "LancerProto", "LancerEncoding"]),
        tests("LancerFileTests", ["LancerBytes", "LancerArrow", "LancerEncoding", "LancerFile"]),
        tests("LancerStorageTests", ["LancerBytes", "LancerStorage"]),
        tests("LancerParquetTests", ["LancerBytes", "LancerCodecs", "LancerArrow", "LancerParquet"]),
        tests("LancerInterchangeTests", ["LancerBytes", "LancerArrow", "LancerInterchange"]),
        tests(
            "LancerTableTests",
            [
                "LancerBytes", "LancerCodecs", "LancerArrow", "LancerProto", "LancerFile", "LancerStorage",
                "LancerKernels", "LancerIndex", "LancerTable",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]
        ),
        tests("LancerTests", ["Lancer"]),
        tests("PackageLayersTests", []),
    ],
    swiftLanguageModes: [.v6]
)
