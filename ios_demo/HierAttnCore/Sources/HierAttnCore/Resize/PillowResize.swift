/// The antialiased bilinear resize of Pillow 13 of a whole picture in memory, bit for bit.
///
/// Rows are resized and rounded to bytes, then columns, or columns first: see
/// ``columnsFirst(_:_:_:_:)``. A side that keeps its length is passed over. For photos of a camera
/// use ``StreamingResize``, which gives the same bytes without the whole picture in memory.
public enum PillowResize {
    /// Squash or stretch to new sides.
    ///
    /// - Parameters:
    ///   - image: upright.
    ///   - width: in pixels, at least 1.
    ///   - height: in pixels, at least 1.
    public static func resize(_ image: RgbImage, _ width: Int, _ height: Int) -> RgbImage {
        if columnsFirst(image.width, image.height, width, height) {
            return horizontal(vertical(image, height), width)
        }
        return vertical(horizontal(image, width), height)
    }

    /// Whether Pillow resizes the columns before the rows, which rounds to other bytes: since
    /// version 13, where the height loses more than twice the pixels that the width loses. Earlier
    /// versions never do. Sides before and after, pixels.
    static func columnsFirst(_ width: Int, _ height: Int, _ newWidth: Int, _ newHeight: Int) -> Bool
    {
        height > newHeight && height - newHeight > 2 * (width - newWidth)
    }

    private static func horizontal(_ image: RgbImage, _ width: Int) -> RgbImage {
        if image.width == width { return image }
        let weights = ResizeWeights(from: image.width, to: width)
        let bytes = width * image.height * 3
        let rgb = [UInt8](unsafeUninitializedCapacity: bytes) { out, count in
            count = bytes
            image.rgb.withUnsafeBufferPointer { pixels in
                for y in 0..<image.height {
                    let before = y * image.width * 3
                    let row = UnsafeBufferPointer(
                        rebasing: pixels[before..<before + image.width * 3])
                    let after = y * width * 3
                    resizeRow(
                        weights, row,
                        UnsafeMutableBufferPointer(rebasing: out[after..<after + width * 3]))
                }
            }
        }
        return RgbImage(checked: width, image.height, rgb)
    }

    /// Resize one row of `weights.inSize` pixels to `weights.outSize`.
    static func resizeRow(
        _ weights: ResizeWeights, _ row: UnsafeBufferPointer<UInt8>,
        _ out: UnsafeMutableBufferPointer<UInt8>
    ) {
        weights.weights.withUnsafeBufferPointer { table in
            for x in 0..<weights.outSize {
                var red = ResizeWeights.half
                var green = ResizeWeights.half
                var blue = ResizeWeights.half
                var pixel = weights.first[x] * 3
                let from = x * weights.stride
                for place in from..<from + weights.count[x] {
                    let weight = table[place]
                    red &+= Int32(row[pixel]) &* weight
                    green &+= Int32(row[pixel + 1]) &* weight
                    blue &+= Int32(row[pixel + 2]) &* weight
                    pixel += 3
                }
                out[x * 3] = ResizeWeights.toByte(red)
                out[x * 3 + 1] = ResizeWeights.toByte(green)
                out[x * 3 + 2] = ResizeWeights.toByte(blue)
            }
        }
    }

    private static func vertical(_ image: RgbImage, _ height: Int) -> RgbImage {
        if image.height == height { return image }
        let weights = ResizeWeights(from: image.height, to: height)
        let rowBytes = image.width * 3
        let rgb = [UInt8](unsafeUninitializedCapacity: rowBytes * height) { out, count in
            count = rowBytes * height
            image.rgb.withUnsafeBufferPointer { pixels in
                weights.weights.withUnsafeBufferPointer { table in
                    for y in 0..<height {
                        let (first, inputs) = (weights.first[y], weights.count[y])
                        let from = y * weights.stride
                        for column in 0..<rowBytes {
                            var sum = ResizeWeights.half
                            for k in 0..<inputs {
                                let value = pixels[(first + k) * rowBytes + column]
                                sum &+= Int32(value) &* table[from + k]
                            }
                            out[y * rowBytes + column] = ResizeWeights.toByte(sum)
                        }
                    }
                }
            }
        }
        return RgbImage(checked: image.width, height, rgb)
    }
}
