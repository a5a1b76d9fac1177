/// What stands before a PNG's pixels, and how its samples become RGB over white.
struct PngHeader {
    static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    /// As wide as a JPEG can be.
    private static let mostWide = 65535
    /// Bytes that deflate makes of one, at most: 1032, see zlib's technical details.
    private static let mostDeflated = 1032
    /// Bits of a sample, by colour type: grey, colour, palette, grey and colour with alpha.
    private static let depths = [
        0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16],
    ]
    private static let channels = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4]

    let width: Int
    let height: Int
    let isInterlaced: Bool
    /// Where the compressed pixels lie.
    let data: [Range<Int>]
    let bitsPerPixel: Int
    private let samples: PngSamples

    /// Read all but the pixels.
    init(_ png: [UInt8]) throws(UnreadableImage) {
        guard png.count >= 33, png.has(PngHeader.signature, at: 0) else {
            throw UnreadableImage("not a PNG")
        }
        guard png.has("IHDR", at: 12), try PngHeader.chunkLength(png, 8) == 13 else {
            throw UnreadableImage("PNG: no header")
        }
        try PngHeader.checkSum(png, 8, 13)
        width = png.number(at: 16, size: 4)!
        height = png.number(at: 20, size: 4)!
        let (depth, kind) = (Int(png[24]), Int(png[25]))
        isInterlaced = png[28] != 0
        let most = Int(Int32.max)
        guard (1...most).contains(width), (1...most).contains(height), png[26] == 0, png[27] == 0
        else { throw UnreadableImage("PNG: a header of no known kind") }
        guard let depths = PngHeader.depths[kind], let channels = PngHeader.channels[kind] else {
            throw UnreadableImage("PNG: unknown colour type \(kind)")
        }
        guard depths.contains(depth) else {
            throw UnreadableImage("PNG: \(depth) bits of colour type \(kind)")
        }
        bitsPerPixel = channels * depth
        let sides = "\(width) x \(height)"
        // Before memory is asked for: no row that no photo has, and no more pixels than the file's
        // bytes can hold at deflate's best.
        guard width <= PngHeader.mostWide else {
            throw UnreadableImage(
                "PNG: \(sides) pixels: at most \(PngHeader.mostWide) in a row are read; choose a "
                    + "smaller picture")
        }
        guard width * height * bitsPerPixel / 8 <= png.count * PngHeader.mostDeflated else {
            throw UnreadableImage(
                "PNG: the file is cut short: \(png.count) bytes cannot hold \(sides) pixels")
        }
        let chunks = try PngHeader.chunks(png, kind)
        data = chunks.data
        samples = PngSamples(
            kind: kind, depth: depth, channels: channels, palette: chunks.palette,
            clear: chunks.clear)
    }

    /// Turn one row of samples into RGB.
    ///
    /// - Parameters:
    ///   - row: filters undone, packed as PNG packs it.
    ///   - count: pixels.
    /// - Throws: a pixel points behind the palette's end.
    func rgb(_ row: ArraySlice<UInt8>, _ count: Int) throws(UnreadableImage) -> [UInt8] {
        try samples.rgb(row, count)
    }

    /// The chunks behind the header, up to the end of the first run of pixels.
    private static func chunks(_ png: [UInt8], _ kind: Int) throws(UnreadableImage)
        -> (palette: [UInt8], clear: [UInt8]?, data: [Range<Int>])
    {
        var at = 33
        var palette: [UInt8]?
        var clear: [UInt8]?
        while !png.has("IDAT", at: at + 4) {
            let length = try chunkLength(png, at)
            if png.has("IEND", at: at + 4) { throw UnreadableImage("PNG: no pixels") }
            try checkSum(png, at, length)
            if png.has("PLTE", at: at + 4) {
                palette = png.part(at + 8, at + 8 + length)
            } else if png.has("tRNS", at: at + 4) {
                clear = png.part(at + 8, at + 8 + length)
                if length < (kind == 0 ? 2 : kind == 2 ? 6 : 0) {
                    throw UnreadableImage("PNG: chunk tRNS is cut short")
                }
            }
            at += length + 12
        }
        if kind == 3, palette == nil { throw UnreadableImage("PNG: the palette is missing") }
        var data: [Range<Int>] = []
        while png.has("IDAT", at: at + 4), at + 12 <= png.count {
            let length = png.number(at: at, size: 4)!
            // What is cut off is noticed when its pixels are missing.
            let end = min(at + 8 + length, png.count)
            data.append(at + 8..<end)
            at = end + 4
        }
        return (palette ?? [], clear, data)
    }

    /// Length of the chunk at a place, checked to lie within the file.
    private static func chunkLength(_ png: [UInt8], _ at: Int) throws(UnreadableImage) -> Int {
        guard let length = png.number(at: at, size: 4), length <= png.count - at - 12 else {
            throw UnreadableImage("PNG: the file is cut short")
        }
        return length
    }

    private static func checkSum(_ png: [UInt8], _ at: Int, _ length: Int) throws(UnreadableImage) {
        let stated = png.number(at: at + 8 + length, size: 4)!
        if Int(Crc32.of(png[at + 4..<at + 8 + length])) != stated {
            throw UnreadableImage("PNG: a damaged chunk at byte \(at)")
        }
    }
}
