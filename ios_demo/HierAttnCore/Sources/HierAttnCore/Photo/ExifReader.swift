/// Finds how a photo must be turned: the EXIF orientation of JPEG, PNG and WebP bytes, the boxes
/// `irot` and `imir` of HEIC and AVIF.
///
/// As Pillow does: EXIF first (JPEG segments APP1, PNG chunk eXIf or ImageMagick's text chunk, WebP
/// chunk EXIF), then `tiff:Orientation` of XMP. What is absent, damaged or not 1 to 8 counts as
/// upright; nothing is ever thrown for what the bytes say. Only the head of a JPEG is needed, up to
/// its first scan; a PNG may carry the chunk behind its pixels.
public struct ExifReader {
    private static let largestText = 1 << 20
    private static let rawProfileKey: StaticString = "Raw profile type exif\0"
    private static let xmpKey: StaticString = "XML:com.adobe.xmp\0"
    private static let xmpHead: StaticString = "http://ns.adobe.com/xap/1.0/\0"
    private static let exifHead: StaticString = "Exif\0\0"

    private let file: [UInt8]
    private var exif: [UInt8] = []
    private var rawProfile: [UInt8]?
    private var xmp: [UInt8]?

    private init(_ file: [UInt8]) {
        self.file = file
    }

    /// The orientation a file asks for.
    ///
    /// - Parameter file: the bytes of a JPEG, PNG, WebP, HEIC or AVIF; of anything else the answer
    ///   is upright.
    public static func orientation(of file: [UInt8]) -> Orientation {
        if HeifBoxes.isHeif(file) { return HeifBoxes.orientation(of: file) }
        var reader = ExifReader(file)
        if file.has([0xff, 0xd8, 0xff], at: 0) {
            reader.readJpeg()
        } else if file.has(PngHeader.signature, at: 0) {
            reader.readPng()
        } else if file.has("RIFF", at: 0), file.has("WEBP", at: 8) {
            reader.readWebp()
        }
        return reader.answer
    }

    /// The orientation that an EXIF block states, upright where it states none.
    ///
    /// - Parameter block: with or without its "Exif" head.
    public static func orientation(ofExif block: [UInt8]) -> Orientation {
        OrientationTag.ofTiff(block).orientation
    }

    private var answer: Orientation {
        var found = OrientationTag.absent
        if !exif.isEmpty {
            found = OrientationTag.ofTiff(exif)
        } else if let rawProfile {
            found = OrientationTag.ofTiff(ExifReader.fromHex(rawProfile))
        }
        if found == .absent, let xmp { found = OrientationTag.ofXmp(xmp) }
        return found.orientation
    }

    private mutating func readJpeg() {
        var at = 2
        while at + 4 <= file.count {
            if file[at] != 0xff || file[at + 1] == 0xff {
                at += 1
                continue
            }
            let marker = file[at + 1]
            if marker <= 1 || (0xd0...0xd8).contains(marker) {
                at += 2
                continue
            }
            if marker == 0xda || marker == 0xd9 { return }
            let end = at + 2 + file.number(at: at + 2, size: 2)!
            if end > file.count || end < at + 4 { return }
            if marker == 0xe1, file.has(ExifReader.exifHead, at: at + 4) {
                // An EXIF block too long for one segment goes on in the next ones.
                exif += file.part(at + 10, end)
            } else if marker == 0xe1, file.has(ExifReader.xmpHead, at: at + 4) {
                xmp = file.part(at + 4 + ExifReader.xmpHead.utf8CodeUnitCount, end)
            }
            at = end
        }
    }

    private mutating func readPng() {
        var at = 8
        while at + 12 <= file.count {
            let length = file.number(at: at, size: 4)!
            if length > file.count - at - 12 { return }
            let (from, end) = (at + 8, at + 8 + length)
            if file.has("eXIf", at: at + 4) {
                exif = file.part(from, end)
            } else if file.has("tEXt", at: at + 4) {
                keep(from, file.firstZero(from: from, before: end), end, compressed: false)
            } else if file.has("zTXt", at: at + 4) {
                keep(from, file.firstZero(from: from, before: end) + 1, end, compressed: true)
            } else if file.has("iTXt", at: at + 4) {
                readInternationalText(from, end)
            } else if file.has("IEND", at: at + 4) {
                return
            }
            at = end + 4
        }
    }

    /// Keyword, 0, compressed or not, method, language, 0, translated keyword, 0, text.
    private mutating func readInternationalText(_ from: Int, _ end: Int) {
        let keyEnd = file.firstZero(from: from, before: end)
        if keyEnd + 3 > end { return }
        let languageEnd = file.firstZero(from: keyEnd + 3, before: end)
        if languageEnd >= end { return }
        let translatedEnd = file.firstZero(from: languageEnd + 1, before: end)
        if translatedEnd < end {
            keep(from, translatedEnd, end, compressed: file[keyEnd + 1] != 0)
        }
    }

    /// Keep the text behind `before` if its keyword, at `from`, is one of ours.
    private mutating func keep(_ from: Int, _ before: Int, _ end: Int, compressed: Bool) {
        let isRaw = file.has(ExifReader.rawProfileKey, at: from)
        guard isRaw || file.has(ExifReader.xmpKey, at: from), before < end else { return }
        let text =
            compressed ? ExifReader.inflate(file, before + 1..<end) : file.part(before + 1, end)
        if isRaw { rawProfile = text } else { xmp = text }
    }

    private mutating func readWebp() {
        var at = 12
        while at + 8 <= file.count {
            let length = file.number(at: at + 4, size: 4, bigEndian: false)!
            if length > file.count - at - 8 { return }
            let end = at + 8 + length
            if file.has("EXIF", at: at), exif.isEmpty {
                exif = file.part(at + 8, end)
            } else if file.has("XMP ", at: at), xmp == nil {
                xmp = file.part(at + 8, end)
            }
            at = end + length % 2
        }
    }

    /// ImageMagick's profile: three lines of head, then hexadecimal digits.
    private static func fromHex(_ text: [UInt8]) -> [UInt8] {
        let lines = text.split(
            separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false)
        guard lines.count == 4 else { return [] }
        let digits = lines[3].compactMap(hexadecimalDigit)
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// An inflated text; as far as it goes where it is cut, empty where it is damaged.
    private static func inflate(_ file: [UInt8], _ part: Range<Int>) -> [UInt8] {
        var text: [UInt8] = []
        var inflater = Inflater(file, [part])
        do {
            try inflater.run { bytes in
                text += bytes
                return text.count < largestText
            }
        } catch InflateError.cut {
            return text
        } catch {
            return []
        }
        return text
    }
}
