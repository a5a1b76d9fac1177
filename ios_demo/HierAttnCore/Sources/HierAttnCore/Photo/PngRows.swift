/// Cuts inflated bytes into rows of pixels and undoes their filters.
struct PngRows {
    /// One pass over a picture: where it starts, its steps, and its pixels.
    struct Pass: Equatable {
        let x: Int
        let y: Int
        let stepX: Int
        let stepY: Int
        let width: Int
        let height: Int
    }

    private static let adam7 = [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]

    private let header: PngHeader
    private var passes: ArraySlice<Pass>
    private var rowsDone = 0
    /// The filter's number, then the samples.
    private var row: [UInt8] = []
    private var above: [UInt8] = []
    private var filled = 0

    init(_ header: PngHeader) {
        self.header = header
        let steps = header.isInterlaced ? PngRows.adam7 : [(0, 0, 1, 1)]
        passes = steps.map { x, y, stepX, stepY in
            Pass(
                x: x, y: y, stepX: stepX, stepY: stepY,
                width: (header.width - x + stepX - 1) / stepX,
                height: (header.height - y + stepY - 1) / stepY)
        }.filter { $0.width > 0 && $0.height > 0 }[...]
        startPass()
    }

    /// Whether every row came.
    var isDone: Bool { passes.isEmpty }

    /// Take inflated bytes.
    ///
    /// - Parameter receiver: takes a pass, the number of a row in it, and its RGB.
    mutating func add(
        _ bytes: UnsafeBufferPointer<UInt8>, _ receiver: (Pass, Int, [UInt8]) throws -> Void
    ) throws {
        var at = 0
        while at < bytes.count, let pass = passes.first {
            let count = min(row.count - filled, bytes.count - at)
            for offset in 0..<count { row[filled + offset] = bytes[at + offset] }
            filled += count
            at += count
            if filled < row.count { return }
            filled = 0
            try undoFilter()
            try receiver(pass, rowsDone, header.rgb(row[1...], pass.width))
            swap(&row, &above)
            rowsDone += 1
            if rowsDone == pass.height {
                passes.removeFirst()
                startPass()
            }
        }
    }

    private mutating func startPass() {
        rowsDone = 0
        guard let pass = passes.first else { return }
        row = [UInt8](repeating: 0, count: 1 + (pass.width * header.bitsPerPixel + 7) / 8)
        above = row
    }

    /// The five filters of PNG, undone in place.
    private mutating func undoFilter() throws(UnreadableImage) {
        let filter = row[0]
        if filter == 0 { return }
        guard filter <= 4 else { throw UnreadableImage("PNG: unknown filter \(filter)") }
        let step = max(header.bitsPerPixel / 8, 1)
        let before = above
        row.withUnsafeMutableBufferPointer { row in
            before.withUnsafeBufferPointer { above in
                for x in 1..<row.count {
                    let left = x > step ? Int(row[x - step]) : 0
                    let up = Int(above[x])
                    let guess: Int
                    switch filter {
                    case 1: guess = left
                    case 2: guess = up
                    case 3: guess = (left + up) / 2
                    default: guess = PngRows.paeth(left, up, x > step ? Int(above[x - step]) : 0)
                    }
                    row[x] &+= UInt8(guess)
                }
            }
        }
    }

    @inline(__always)
    private static func paeth(_ left: Int, _ up: Int, _ upLeft: Int) -> Int {
        let guess = left + up - upLeft
        let (toLeft, toUp, toUpLeft) = (abs(guess - left), abs(guess - up), abs(guess - upLeft))
        return toLeft <= toUp && toLeft <= toUpLeft ? left : toUp <= toUpLeft ? up : upLeft
    }
}
