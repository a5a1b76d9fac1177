/// Makes the network's input from decoded pixels, bit for bit as Python does.
///
/// Decoding comes before: ``PngDecoder`` for PNG; for JPEG the platform's decoder, whose last bits
/// may differ from those of another. Never let a decoder make a photo smaller first (a thumbnail),
/// because the filter must see every pixel.
public struct Preprocessor: Sendable {
    private let side: Int

    /// Follow a spec.
    public init(_ spec: PreprocessSpec) {
        side = spec.imageSize
    }

    /// Turn and resize a picture in memory: bytes [S, S, 3].
    public func pixels(of stored: RgbImage, _ orientation: Orientation) -> [UInt8] {
        PillowResize.resize(orientation.apply(to: stored), side, side).rgb
    }

    /// Turn and resize a picture that comes row by row: give every row, then take `finish()`.
    ///
    /// - Parameters:
    ///   - storedWidth: as decoded, before any turning; pixels.
    ///   - storedHeight: likewise.
    ///   - orientation: what turns it upright.
    public func stream(_ storedWidth: Int, _ storedHeight: Int, _ orientation: Orientation)
        throws(RowError) -> StreamingResize
    {
        try StreamingResize(storedWidth, storedHeight, orientation, side: side)
    }

    /// Decode a PNG, turn it as its EXIF says and resize it, with little memory: bytes [S, S, 3].
    ///
    /// - Throws: ``UnreadableImage``: damaged, too large, or not a PNG.
    public func pixels(ofPng png: [UInt8]) throws(UnreadableImage) -> [UInt8] {
        let (width, height) = try PngDecoder.sides(of: png)
        do {
            var resize = try stream(width, height, ExifReader.orientation(of: png))
            try PngDecoder.decode(png) { y, row in try resize.add(row: y, row) }
            return try resize.finish()
        } catch {
            throw error as? UnreadableImage ?? UnreadableImage("PNG: \(error)")
        }
    }

    /// The floats of an input [1, 3, S, S]: each byte over 255, in single precision.
    ///
    /// - Parameter pixels: bytes [S, S, 3].
    /// - Throws: ``RowError`` for another number of bytes.
    public func input(of pixels: [UInt8]) throws(RowError) -> [Float] {
        let area = side * side
        guard pixels.count == area * 3 else {
            throw RowError(description: "\(pixels.count) bytes: \(area * 3) are needed")
        }
        var input = [Float](repeating: 0, count: area * 3)
        for pixel in 0..<area {
            for channel in 0..<3 {
                input[channel * area + pixel] = Float(pixels[pixel * 3 + channel]) / 255
            }
        }
        return input
    }
}
