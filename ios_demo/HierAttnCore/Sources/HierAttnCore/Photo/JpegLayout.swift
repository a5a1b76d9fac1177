/// Walks through a JPEG without decoding it, to refuse what a platform decoder would let pass: a
/// file that was cut off, whose missing part it paints grey, and four inks (CMYK), which it turns
/// into colours in a way of its own.
public struct JpegLayout {
    private static let startOfScan: UInt8 = 0xda
    private static let endOfImage: UInt8 = 0xd9
    /// SOF0 to SOF15, without DHT, JPG and DAC, which share their row.
    private static let frames: Set<UInt8> = Set(0xc0...0xcf).subtracting([0xc4, 0xc8, 0xcc])

    private let jpeg: [UInt8]

    /// Whether a file begins as a JPEG does.
    public static func isJpeg(_ file: [UInt8]) -> Bool {
        file.has([0xff, 0xd8, 0xff], at: 0)
    }

    /// Refuse what is no JPEG, not whole, or not of grey or three colours.
    public static func check(_ jpeg: [UInt8]) throws(UnreadableImage) {
        guard isJpeg(jpeg) else { throw UnreadableImage("not a JPEG") }
        try JpegLayout(jpeg: jpeg).check()
    }

    private func check() throws(UnreadableImage) {
        var place = 2
        while true {
            place = try next(from: place) { _ in true }
            let marker = jpeg[place + 1]
            place += 2
            switch marker {
            case JpegLayout.endOfImage: return
            // A fill byte: the marker begins one later.
            case 0xff: place -= 1
            case 0x00, 0x01, 0xd0...0xd7: break
            default:
                guard let length = jpeg.number(at: place, size: 2) else { throw cutOff }
                if length < 2 { throw UnreadableImage("JPEG: a segment of impossible length") }
                if JpegLayout.frames.contains(marker) { try checkColours(place, length) }
                place += length
                if marker == JpegLayout.startOfScan {
                    // Over the packed pixels, where 0xff is followed by 0 or a restart marker.
                    place = try next(from: place) {
                        $0 != 0 && $0 != 0xff && !(0xd0...0xd7).contains($0)
                    }
                }
            }
        }
    }

    /// The next 0xff with a fitting byte behind it; stray bytes before it are passed over, as
    /// libjpeg and Pillow do.
    private func next(from start: Int, _ fits: (UInt8) -> Bool) throws(UnreadableImage) -> Int {
        var place = start
        while place + 1 < jpeg.count {
            if jpeg[place] == 0xff, fits(jpeg[place + 1]) { return place }
            place += 1
        }
        throw cutOff
    }

    private func checkColours(_ place: Int, _ length: Int) throws(UnreadableImage) {
        guard length >= 8, place + 8 <= jpeg.count else { throw cutOff }
        let components = jpeg[place + 7]
        if components != 1 && components != 3 {
            throw UnreadableImage(
                "JPEG: \(components) colour components; only grey and three colours are "
                    + "understood")
        }
    }

    private var cutOff: UnreadableImage { UnreadableImage("JPEG: the file is cut off") }
}
