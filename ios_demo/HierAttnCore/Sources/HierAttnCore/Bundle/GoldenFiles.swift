/// One picture of the self-test: what it must become, and what the model must answer.
public struct GoldenImage: Sendable, Equatable {
    /// Name of the PNG in the bundle's folder selftest.
    public let file: String
    /// Of the PNG.
    public let sha256: String
    /// Name of the file of bytes [S, S, 3] that preprocessing must make of it.
    public let tensor: String
    /// Of that file.
    public let tensorSha256: String
    /// Why the picture is there.
    public let what: String
    /// One a class, all finite.
    public let logits: [Double]
    /// What a difference is a share of; more than 0.
    public let scale: Double

    init(_ fields: Fields, classes: Int) throws(BundleError) {
        file = try fields.text("file")
        sha256 = try fields.sha256("sha256")
        tensor = try fields.text("tensor")
        tensorSha256 = try fields.sha256("tensor_sha256")
        what = try fields.text("what")
        logits = try fields.numbers("logits", classes)
        scale = try fields.positive("scale")
        try fields.refuseOthers()
    }
}

/// One JPEG photo of the self-test, for the platform's decoder.
public struct GoldenPhoto: Sendable, Equatable {
    /// Name of the JPEG in the bundle's folder selftest.
    public let file: String
    /// Of the JPEG.
    public let sha256: String
    /// Name of the file of bytes [S, S, 3] that Python makes of it.
    public let tensor: String
    /// Of that file.
    public let tensorSha256: String
    /// Why the photo is there.
    public let what: String

    init(_ fields: Fields) throws(BundleError) {
        file = try fields.text("file")
        sha256 = try fields.sha256("sha256")
        tensor = try fields.text("tensor")
        tensorSha256 = try fields.sha256("tensor_sha256")
        what = try fields.text("what")
        try fields.refuseOthers()
    }
}

/// The photos, and how far the pixels that a decoder makes of them may be from Python's, in levels
/// of 255.
public struct GoldenPhotos: Sendable, Equatable {
    /// Largest difference of a byte.
    public let maxDifference: Int
    /// Largest mean difference of a photo's bytes.
    public let maxMeanDifference: Double
    /// At least one.
    public let images: [GoldenPhoto]

    init(_ fields: Fields) throws(BundleError) {
        maxDifference = try fields.whole("max_difference", 0...255)
        maxMeanDifference = try fields.number("max_mean_difference")
        if maxMeanDifference < 0 {
            throw fields.wrong("max_mean_difference", "0 or more is needed")
        }
        var images: [GoldenPhoto] = []
        for entry in try fields.objects("images", each: "photo") {
            images.append(try GoldenPhoto(entry))
        }
        self.images = images
        try fields.refuseOthers()
    }
}
