/// How a photo becomes the network's input; the mirror of Python's `PreprocessSpec`.
///
/// Version 1 leaves one choice, the side. Every other field must state the one meaning that this
/// code implements, so that a bundle made for other rules is refused instead of misread.
public struct PreprocessSpec: Sendable, Equatable {
    /// Sides that are read, pixels.
    public static let sides = 1...4096
    private static let literals = [
        ("orientation", "exif"),
        ("alpha", "composite_over_white"),
        ("sixteen_bit", "high_byte"),
        ("colour", "rgb"),
        ("fit", "squash"),
        ("resize", "pillow_bilinear_antialias"),
        ("layout", "nchw"),
    ]

    /// Side of the square input, pixels.
    public let imageSize: Int

    /// A spec of version 1 with its one choice.
    public init(imageSize: Int) {
        precondition(PreprocessSpec.sides.contains(imageSize), "side \(imageSize)")
        self.imageSize = imageSize
    }

    /// Read the object `preprocessing` of bundle.json.
    init(_ fields: Fields) throws(BundleError) {
        _ = try fields.whole("version", 1...1)
        _ = try fields.whole("divisor", 255...255)
        for (name, meaning) in PreprocessSpec.literals {
            guard try fields.text(name) == meaning else {
                throw fields.wrong(name, "\"\(meaning)\" is all that is known here")
            }
        }
        imageSize = try fields.whole("image_size", PreprocessSpec.sides)
        try fields.refuseOthers()
    }
}
