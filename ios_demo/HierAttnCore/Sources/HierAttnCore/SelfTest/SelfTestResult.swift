/// What the self-test found; only ``SelfTest`` makes one.
public struct SelfTestResult: Sendable {
    /// How it ended.
    public enum Status: String, Sendable {
        /// Pixels and logits are as they should be.
        case passed
        /// A file, a pixel or a logit is not.
        case failed
        /// The runtime broke down before it could be told.
        case error
    }

    /// One golden picture.
    public struct Image: Sendable {
        /// Name of the PNG.
        public let file: String
        /// How many of the S * S * 3 bytes are not as in Python; 0 is needed.
        public let differingBytes: Int
        /// What the model answered.
        public let logits: [Float]
        /// Largest difference of a logit, as a share of the scale; NaN where a logit is no number.
        public let maxRelative: Double
        /// Why it failed; nil where it passed.
        public let reason: String?

        /// Whether pixels and logits are as they should be.
        public var passed: Bool { reason == nil }

        var json: Json {
            .object([
                .init("file", .text(file)),
                .init("differing_bytes", .whole(Int64(differingBytes))),
                .init("logits", .list(logits.map { Json.finite(Double($0)) })),
                .init("max_relative", Json.finite(maxRelative)), .init("passed", .bool(passed)),
            ])
        }
    }

    public let status: Status
    /// One line that says what differs; nil where it passed.
    public let reason: String?
    /// Those that were reached.
    public let images: [Image]
    /// Golden photos, one entry for each way of decoding; empty where none were tested.
    public let photos: [PhotoTest.Result]
    let runtime: (name: String, version: String)
    let artefact: (file: String, sha256: String, precision: String)

    /// Whether the model may answer.
    public var passed: Bool { status == .passed }

    /// The largest over all pictures; NaN where a logit is no number or none was reached.
    public var maxRelative: Double {
        if images.isEmpty || images.contains(where: { $0.maxRelative.isNaN }) { return .nan }
        return images.map(\.maxRelative).max()!
    }

    /// With the fields schema, status, reason, runtime, artefact, images and photos, as the Android
    /// app writes them. The app adds its version and its device. What is no number becomes null.
    public var json: Json {
        .object([
            .init("schema", .whole(1)), .init("status", .text(status.rawValue)),
            .init("reason", reason.map(Json.text) ?? .null),
            .init(
                "runtime",
                .object([
                    .init("name", .text(runtime.name)), .init("version", .text(runtime.version)),
                ])),
            .init(
                "artefact",
                .object([
                    .init("file", .text(artefact.file)), .init("sha256", .text(artefact.sha256)),
                    .init("format", .text(ModelBundle.format)),
                    .init("precision", .text(artefact.precision)),
                ])),
            .init("images", .list(images.map(\.json))),
            .init("photos", .list(photos.map(\.json))),
        ])
    }
}
