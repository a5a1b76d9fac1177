/// How a stored picture must be turned to stand upright: the EXIF values 1 to 8.
public struct Orientation: Sendable, Equatable {
    /// As stored.
    public static let upright = Orientation(checked: 1)

    /// 1 to 8, as EXIF counts.
    public let value: Int

    /// nil where the value is not 1 to 8.
    public init?(_ value: Int) {
        guard (1...8).contains(value) else { return nil }
        self.value = value
    }

    private init(checked value: Int) {
        self.value = value
    }

    /// Whether width and height change places.
    public var swapsSides: Bool { value >= 5 }

    /// Whether left and right change places, once sides are swapped.
    var mirrorsColumns: Bool { [2, 3, 6, 7].contains(value) }

    /// Whether top and bottom change places, once sides are swapped.
    var mirrorsRows: Bool { [3, 4, 7, 8].contains(value) }

    /// Turn a stored picture upright.
    public func apply(to stored: RgbImage) -> RgbImage {
        if self == .upright { return stored }
        let width = swapsSides ? stored.height : stored.width
        let height = swapsSides ? stored.width : stored.height
        let (swaps, columns, rows) = (swapsSides, mirrorsColumns, mirrorsRows)
        let rgb = [UInt8](unsafeUninitializedCapacity: stored.rgb.count) { upright, count in
            count = stored.rgb.count
            stored.rgb.withUnsafeBufferPointer { pixels in
                var from = 0
                for y in 0..<stored.height {
                    for x in 0..<stored.width {
                        var column = swaps ? y : x
                        var row = swaps ? x : y
                        if columns { column = width - 1 - column }
                        if rows { row = height - 1 - row }
                        let to = (row * width + column) * 3
                        upright[to] = pixels[from]
                        upright[to + 1] = pixels[from + 1]
                        upright[to + 2] = pixels[from + 2]
                        from += 3
                    }
                }
            }
        }
        return RgbImage(checked: width, height, rgb)
    }
}
