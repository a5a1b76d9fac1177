/// The samples of a PNG's pixels, as RGB over white.
struct PngSamples {
    /// Colour type: 0 grey, 2 colour, 3 palette, 4 grey with alpha, 6 colour with alpha.
    let kind: Int
    /// Bits of a sample.
    let depth: Int
    /// Samples of a pixel.
    let channels: Int
    /// Three bytes an entry; empty but in kind 3.
    let palette: [UInt8]
    /// Chunk tRNS: alphas of the palette, or the one colour that counts as transparent.
    let clear: [UInt8]?

    /// See ``PngHeader/rgb(_:_:)``.
    func rgb(_ row: ArraySlice<UInt8>, _ count: Int) throws(UnreadableImage) -> [UInt8] {
        var rgb = [UInt8](repeating: 255, count: count * 3)
        let start = row.startIndex
        let isGrey = kind == 0 || kind == 4
        for x in 0..<count {
            var colour: (UInt8, UInt8, UInt8)
            var alpha: UInt8 = 255
            if kind == 3 {
                let entry = sample(row, x)
                guard entry * 3 + 3 <= palette.count else {
                    throw UnreadableImage(
                        "PNG: a pixel of colour \(entry), the palette has \(palette.count / 3)")
                }
                colour = (palette[entry * 3], palette[entry * 3 + 1], palette[entry * 3 + 2])
                if let clear, entry < clear.count { alpha = clear[entry] }
            } else {
                let first = level(row, start, x * channels)
                colour =
                    isGrey
                    ? (first, first, first)
                    : (
                        first, level(row, start, x * channels + 1),
                        level(row, start, x * channels + 2)
                    )
                if kind >= 4 {
                    alpha = level(row, start, x * channels + channels - 1)
                } else if let clear, isTransparent(colour, clear) {
                    alpha = 0
                }
            }
            if alpha == 255 {
                (rgb[x * 3], rgb[x * 3 + 1], rgb[x * 3 + 2]) = colour
            } else {
                rgb[x * 3] = Alpha.overWhite(colour.0, alpha)
                rgb[x * 3 + 1] = Alpha.overWhite(colour.1, alpha)
                rgb[x * 3 + 2] = Alpha.overWhite(colour.2, alpha)
            }
        }
        return rgb
    }

    /// Whether a pixel has the one colour that counts as transparent.
    ///
    /// Follows Pillow to the letter: it compares the low byte of the stated colour with the pixel's
    /// 8-bit level, also where samples have 2, 4 or 16 bits, and not at all in 16-bit grey.
    private func isTransparent(_ colour: (UInt8, UInt8, UInt8), _ clear: [UInt8]) -> Bool {
        if kind == 0 {
            if depth == 16 { return false }
            if depth == 1 { return colour.0 == (clear[0] != 0 || clear[1] != 0 ? 255 : 0) }
            return colour.0 == clear[1]
        }
        return colour == (clear[1], clear[3], clear[5])
    }

    /// A sample as 0 to 255: fewer bits are spread, of 16 the high byte is kept.
    @inline(__always)
    private func level(_ row: ArraySlice<UInt8>, _ start: Int, _ index: Int) -> UInt8 {
        switch depth {
        case 16: return row[start + index * 2]
        case 8: return row[start + index]
        default: return UInt8(sample(row, index) * 255 / (1 << depth - 1))
        }
    }

    /// A sample of at most 8 bits as it is stored.
    private func sample(_ row: ArraySlice<UInt8>, _ index: Int) -> Int {
        let bit = index * depth
        return Int(row[row.startIndex + bit / 8]) >> (8 - depth - bit % 8) & (1 << depth - 1)
    }
}
