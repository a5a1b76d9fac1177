/// What an EXIF block or an XMP text says of the orientation.
enum OrientationTag: Equatable {
    /// Nothing is stated.
    case absent
    /// Something is stated, and it is none of 1 to 8.
    case other
    case stated(Orientation)

    private static let tag = 0x0112
    private static let exifHead: StaticString = "Exif\0\0"

    /// A stated value, or upright.
    var orientation: Orientation {
        if case .stated(let orientation) = self { return orientation }
        return .upright
    }

    /// The tag of the first directory of a TIFF block; ``other`` too where it is no TIFF.
    ///
    /// - Parameter block: with or without its "Exif" head.
    static func ofTiff(_ block: [UInt8]) -> OrientationTag {
        var start = 0
        while start < 12, block.has(exifHead, at: start) { start += 6 }
        if start == block.count { return .absent }
        guard isTiff(block, start) else { return .other }
        let big = block.has("MM", at: start)
        let directory = start + block.number(at: start + 4, size: 4, bigEndian: big)!
        guard let entries = block.number(at: directory, size: 2, bigEndian: big) else {
            return .absent
        }
        for entry in 0..<entries {
            let at = directory + 2 + entry * 12
            if at + 12 > block.count { return .absent }
            if block.number(at: at, size: 2, bigEndian: big) == tag {
                let found = fromEntry(block, at, start, big)
                if found != .absent { return found }
            }
        }
        return .absent
    }

    /// The digit of `tiff:Orientation="6"` or `<tiff:Orientation>6`.
    static func ofXmp(_ text: [UInt8]) -> OrientationTag {
        let field: StaticString = "tiff:Orientation"
        let length = field.utf8CodeUnitCount
        var at = 0
        while at + length + 2 <= text.count {
            defer { at += 1 }
            guard text.has(field, at: at) else { continue }
            var next = at + length
            if text.has("=\"", at: next) {
                next += 2
            } else if text.has(">", at: next) {
                next += 1
            } else {
                continue
            }
            if next < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[next]) {
                return of(Int(text[next] - UInt8(ascii: "0")))
            }
        }
        return .absent
    }

    /// Some cameras write the 42 in the other order of bytes; Pillow lets them.
    private static func isTiff(_ block: [UInt8], _ start: Int) -> Bool {
        guard start + 8 <= block.count, block.has("MM", at: start) || block.has("II", at: start)
        else { return false }
        let (high, low) = (block[start + 2], block[start + 3])
        return (high, low) == (0, 42) || (high, low) == (42, 0)
    }

    /// The first value of an entry; absent if it has none within the block.
    private static func fromEntry(_ block: [UInt8], _ at: Int, _ start: Int, _ big: Bool)
        -> OrientationTag
    {
        let type = block.number(at: at + 2, size: 2, bigEndian: big)!
        let count = block.number(at: at + 4, size: 4, bigEndian: big)!
        // EXIF asks for SHORT; some writers put LONG or the signed kinds.
        let size = [3: 2, 8: 2, 4: 4, 9: 4, 13: 4, 6: 1][type] ?? 0
        if size == 0 { return (1...12).contains(type) ? .other : .absent }
        if count == 0 { return .absent }
        let outside = start + block.number(at: at + 8, size: 4, bigEndian: big)!
        let from = count * size <= 4 ? at + 8 : outside
        guard from + count * size <= block.count else { return .absent }
        return of(block.number(at: from, size: size, bigEndian: big)!)
    }

    private static func of(_ value: Int) -> OrientationTag {
        Orientation(value).map(OrientationTag.stated) ?? .other
    }
}
