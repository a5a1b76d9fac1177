/// A model ready to answer, whatever runtime stands behind it; hand it to a ``SelfTestGate`` and
/// ask that.
public protocol Classifier {
    /// Answer one preprocessed picture.
    ///
    /// - Parameter rgb: bytes [S, S, 3], rows from the top, red first, as ``Preprocessor`` makes
    ///   them.
    /// - Returns: one logit a class, in the order of the bundle's classes.
    /// - Throws: the runtime failed.
    func logits(_ rgb: [UInt8]) throws -> [Float]

    /// Name of the runtime, such as "coreml".
    var runtimeName: String { get }

    /// Version of the runtime, and whatever else changes its answers, such as the compute units.
    var runtimeVersion: String { get }
}

/// From a photo's file to the network's pixels, on the way that the app's photos take.
public protocol PhotoDecoder: Sendable {
    /// Which way it is, such as "whole"; for the result of the self-test.
    var name: String { get }

    /// Decode, turn and squash: bytes [S, S, 3], red first.
    ///
    /// - Throws: ``UnreadableImage``: damaged, or of a kind that is not decoded.
    func pixels(of file: [UInt8]) throws(UnreadableImage) -> [UInt8]
}

/// Decodes a PNG; the app's own is ``PngDecoder``.
public typealias DecodePng = ([UInt8]) throws(UnreadableImage) -> RgbImage
