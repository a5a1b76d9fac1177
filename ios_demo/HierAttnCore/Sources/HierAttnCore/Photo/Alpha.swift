/// Transparent pixels laid over white, by the integer formula that Python uses.
public enum Alpha {
    /// Lay one channel over white: (c * a + 255 * (255 - a) + 127) / 255, rounded down.
    ///
    /// - Parameters:
    ///   - channel: 0 to 255, not multiplied by alpha.
    ///   - alpha: 0 to 255.
    @inline(__always)
    public static func overWhite(_ channel: UInt8, _ alpha: UInt8) -> UInt8 {
        let (c, a) = (Int32(channel), Int32(alpha))
        return UInt8(truncatingIfNeeded: (c &* a &+ 255 &* (255 &- a) &+ 127) / 255)
    }

    /// Turn one row of pixels of four bytes, red first, alpha last and not multiplied, into RGB.
    ///
    /// - Parameters:
    ///   - rgba: at least 4 * width bytes.
    ///   - width: pixels to take.
    public static func rowOverWhite(_ rgba: some RandomAccessCollection<UInt8>, _ width: Int)
        -> [UInt8]
    {
        var rgb = [UInt8](repeating: 0, count: width * 3)
        var from = rgba.startIndex
        for x in 0..<width {
            let alpha = rgba[rgba.index(from, offsetBy: 3)]
            for channel in 0..<3 {
                let level = rgba[rgba.index(from, offsetBy: channel)]
                rgb[x * 3 + channel] = overWhite(level, alpha)
            }
            from = rgba.index(from, offsetBy: 4)
        }
        return rgb
    }
}
