/// Rows of a photo did not come as they must.
public struct RowError: Error, Equatable, CustomStringConvertible {
    /// One line.
    public let description: String
}

/// Turns and resizes a picture that arrives row by row, to the same bytes as
/// ``Orientation/apply(to:)`` followed by ``PillowResize``.
///
/// Two orders are possible, and the bytes depend on it: every stored row is resized when it comes,
/// then summed up across rows; or whole rows are summed up, and what comes out is resized at the
/// end. Memory, for a square side S: S * S * 12 bytes of sums in the first order, 0.8 MB at 256;
/// S * width * 12 in the second, which a photo needs that must be turned by a quarter: 12 MB for
/// 4000 pixels a row at 256. Rows may come in any order, each once.
public struct StreamingResize: Sendable {
    private let storedWidth: Int
    private let storedHeight: Int
    private let side: Int
    private let swaps: Bool
    private let mirrorsAlong: Bool
    private let mirrorsAcross: Bool
    /// Whether a row is resized before rows are summed up.
    private let alongFirst: Bool
    private let along: ResizeWeights
    private let across: ResizeWeights
    private var seen: [Bool]
    /// Of bytes a line, `lineBytes` each.
    private var sums: [Int32]
    private let lineBytes: Int
    private var flipped: [UInt8]
    private var narrow: [UInt8]
    private var rowsSeen = 0
    private var finished = false

    /// Start a picture.
    ///
    /// - Parameters:
    ///   - storedWidth: as decoded, before any turning; pixels, at least 1.
    ///   - storedHeight: likewise.
    ///   - orientation: what turns it upright.
    ///   - side: of the square result, pixels, at least 1.
    public init(_ storedWidth: Int, _ storedHeight: Int, _ orientation: Orientation, side: Int)
        throws(RowError)
    {
        let most = Int(Int32.max) / 4
        guard (1...most).contains(storedWidth), (1...most).contains(storedHeight), side >= 1 else {
            throw RowError(
                description:
                    "sides must be at least 1: \(storedWidth) x \(storedHeight) to \(side)")
        }
        self.storedWidth = storedWidth
        self.storedHeight = storedHeight
        self.side = side
        swaps = orientation.swapsSides
        // A stored row is an upright column where sides are swapped.
        mirrorsAlong = swaps ? orientation.mirrorsRows : orientation.mirrorsColumns
        mirrorsAcross = swaps ? orientation.mirrorsColumns : orientation.mirrorsRows
        let width = swaps ? storedHeight : storedWidth
        let height = swaps ? storedWidth : storedHeight
        alongFirst = swaps == PillowResize.columnsFirst(width, height, side, side)
        along = ResizeWeights(from: storedWidth, to: side)
        across = ResizeWeights(from: storedHeight, to: side)
        seen = [Bool](repeating: false, count: storedHeight)
        lineBytes = (alongFirst ? side : storedWidth) * 3
        sums = [Int32](repeating: 0, count: side * lineBytes)
        flipped = [UInt8](repeating: 0, count: mirrorsAlong ? storedWidth * 3 : 0)
        narrow = [UInt8](repeating: 0, count: side * 3)
    }

    /// Take one stored row; longer ones may have padding behind their pixels.
    ///
    /// - Throws: ``RowError`` where there is no such row, it is too short, or it came before.
    public mutating func add(row y: Int, _ rgb: [UInt8]) throws(RowError) {
        guard seen.indices.contains(y), rgb.count >= storedWidth * 3, !seen[y] else {
            throw RowError(
                description:
                    "row \(y) of \(rgb.count) bytes: each of \(storedHeight) rows must come once, "
                    + "with \(storedWidth * 3) bytes")
        }
        seen[y] = true
        rowsSeen += 1
        if mirrorsAlong { flip(rgb) }
        let row = mirrorsAlong ? flipped : rgb
        let line = mirrorsAcross ? storedHeight - 1 - y : y
        if alongFirst && !along.isIdentity {
            squash(row)
            sum(up: narrow, at: line)
        } else {
            sum(up: row, at: line)
        }
    }

    /// The finished picture, bytes [side, side, 3]; call it once, after the last row.
    ///
    /// - Throws: ``RowError`` where rows are missing, or it was called before.
    public mutating func finish() throws(RowError) -> [UInt8] {
        guard !finished, rowsSeen == storedHeight else {
            throw RowError(
                description: finished
                    ? "the picture was finished before"
                    : "\(rowsSeen) of \(storedHeight) rows came: decode the whole photo")
        }
        finished = true
        var result = [UInt8](repeating: 0, count: side * side * 3)
        for line in 0..<side {
            // Where the pass is passed over, a sum is the pixel itself.
            let identity = across.isIdentity
            let row = sums[line * lineBytes..<(line + 1) * lineBytes].map {
                identity ? UInt8($0) : ResizeWeights.toByte($0 &+ ResizeWeights.half)
            }
            if !alongFirst && !along.isIdentity {
                squash(row)
                place(narrow, line, &result)
            } else {
                place(row, line, &result)
            }
        }
        return result
    }

    /// Resize a row into `narrow`.
    private mutating func squash(_ row: [UInt8]) {
        let weights = along
        row.withUnsafeBufferPointer { pixels in
            narrow.withUnsafeMutableBufferPointer { PillowResize.resizeRow(weights, pixels, $0) }
        }
    }

    /// Add a row's share to every line of the result that it counts for.
    private mutating func sum(up row: [UInt8], at place: Int) {
        let same = across.isIdentity
        let from = same ? place : across.firstOut[place]
        let end = same ? place + 1 : from + across.countOut[place]
        let (bytes, weights) = (lineBytes, across)
        row.withUnsafeBufferPointer { pixels in
            sums.withUnsafeMutableBufferPointer { sums in
                for line in from..<end {
                    let weight = same ? 1 : weights.weight(of: place, in: line)
                    let start = line * bytes
                    for column in 0..<bytes {
                        sums[start + column] &+= Int32(pixels[column]) &* weight
                    }
                }
            }
        }
    }

    /// Put a finished line where it stands upright: a row, or a column where sides are swapped.
    private func place(_ line: [UInt8], _ number: Int, _ result: inout [UInt8]) {
        for pixel in 0..<side {
            let to = swaps ? (pixel * side + number) * 3 : (number * side + pixel) * 3
            for channel in 0..<3 { result[to + channel] = line[pixel * 3 + channel] }
        }
    }

    private mutating func flip(_ rgb: [UInt8]) {
        for x in 0..<storedWidth {
            let from = (storedWidth - 1 - x) * 3
            for channel in 0..<3 { flipped[x * 3 + channel] = rgb[from + channel] }
        }
    }
}
