/// Decodes PNG to the pixels that Pillow gives Python: no colour management, 16 bits to the high
/// byte, alpha and transparent colours over white, the first picture of an animation.
///
/// Platform decoders differ here: they multiply by alpha, follow colour profiles, or reduce 16 bits
/// in their own way. A picture that is not interlaced is handed on row by row.
public enum PngDecoder {
    /// As many pixels as Python reads.
    private static let mostPixels = 178_956_970

    /// Decode a whole picture into memory.
    public static func decode(_ png: [UInt8]) throws(UnreadableImage) -> RgbImage {
        let (width, height) = try sides(of: png)
        var rgb: [UInt8] = []
        try decode(png) { _, row in
            if rgb.isEmpty { rgb.reserveCapacity(width * height * 3) }
            rgb += row
        }
        return RgbImage(checked: width, height, rgb)
    }

    /// The width and height of a PNG as stored, without decoding it; pixels.
    public static func sides(of png: [UInt8]) throws(UnreadableImage) -> (width: Int, height: Int) {
        let header = try PngHeader(png)
        return (header.width, header.height)
    }

    /// Decode row by row, with memory for two rows; an interlaced picture is kept whole instead.
    ///
    /// - Parameters:
    ///   - png: the bytes of the file.
    ///   - receiver: takes the number of a row, from the top, and its RGB.
    /// - Throws: ``UnreadableImage``: damaged, or not a PNG; rows may have been sent before. What
    ///   the receiver throws becomes one, too.
    public static func decode(_ png: [UInt8], _ receiver: (Int, [UInt8]) throws -> Void)
        throws(UnreadableImage)
    {
        let header = try PngHeader(png)
        guard header.width * header.height <= mostPixels else {
            throw UnreadableImage("PNG: \(header.width) x \(header.height) pixels are too many")
        }
        do {
            if header.isInterlaced {
                try interlaced(png, header).send(to: receiver)
            } else {
                try inflate(png, header) { _, y, row in try receiver(y, row) }
            }
        } catch {
            throw error as? UnreadableImage ?? UnreadableImage("PNG: \(error)")
        }
    }

    private static func interlaced(_ png: [UInt8], _ header: PngHeader) throws -> RgbImage {
        var rgb = [UInt8](repeating: 0, count: header.width * header.height * 3)
        try inflate(png, header) { pass, number, row in
            let start = (pass.y + number * pass.stepY) * header.width + pass.x
            for pixel in 0..<pass.width {
                let to = (start + pixel * pass.stepX) * 3
                for channel in 0..<3 { rgb[to + channel] = row[pixel * 3 + channel] }
            }
        }
        return RgbImage(checked: header.width, header.height, rgb)
    }

    private static func inflate(
        _ png: [UInt8], _ header: PngHeader,
        _ receiver: (PngRows.Pass, Int, [UInt8]) throws -> Void
    ) throws {
        var rows = PngRows(header)
        var inflater = Inflater(png, header.data)
        do {
            try inflater.run { bytes in
                try rows.add(bytes, receiver)
                return !rows.isDone
            }
        } catch InflateError.damaged {
            throw UnreadableImage("PNG: damaged pixels")
        } catch InflateError.cut {
            throw UnreadableImage("PNG: the file is cut short")
        }
        guard rows.isDone else { throw UnreadableImage("PNG: the file is cut short") }
    }
}
