/// A picture in memory: 8 bits a channel, red first, rows from the top, no padding.
public struct RgbImage: Sendable, Equatable {
    /// In pixels, at least 1.
    public let width: Int
    /// In pixels, at least 1.
    public let height: Int
    /// width * height * 3 bytes.
    public let rgb: [UInt8]

    /// Wrap pixels; nil where the sides do not fit the number of bytes.
    public init?(width: Int, height: Int, rgb: [UInt8]) {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard width >= 1, height >= 1, !overflow, pixels <= Int.max / 3, pixels * 3 == rgb.count
        else { return nil }
        self.init(checked: width, height, rgb)
    }

    init(checked width: Int, _ height: Int, _ rgb: [UInt8]) {
        self.width = width
        self.height = height
        self.rgb = rgb
    }

    /// Hand all rows to a receiver, from the top.
    public func send(to receiver: (Int, [UInt8]) throws -> Void) rethrows {
        for y in 0..<height {
            try receiver(y, Array(rgb[y * width * 3..<(y + 1) * width * 3]))
        }
    }
}
