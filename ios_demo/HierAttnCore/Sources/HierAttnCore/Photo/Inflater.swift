/// Why a stream could not be inflated to its end.
enum InflateError: Error {
    /// The bytes end too early.
    case cut
    /// They are no stream of zlib.
    case damaged
}

/// Inflates a stream of zlib (RFC 1950, 1951) whose bytes lie in parts of a file, and hands on at
/// most 32 KB at once, so that memory does not grow with the picture.
struct Inflater {
    /// Takes what was inflated, only during the call; false where no more is wanted.
    typealias Sink = (UnsafeBufferPointer<UInt8>) throws -> Bool

    private struct EnoughError: Error {}
    private static let windowBytes = 32768
    private static let lengthBase = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
        131, 163, 195, 227, 258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBase = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
        2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ]
    private static let distanceBits = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12,
        13, 13,
    ]
    /// The order in which a block states the lengths of the codes for lengths.
    private static let order = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]

    private var bits: BitReader
    /// The last 32 KB, as a ring.
    private var window = [UInt8](repeating: 0, count: windowBytes)
    private var at = 0
    private var sent = 0
    private var written = 0
    private var adler = Adler32()

    init(_ file: [UInt8], _ parts: [Range<Int>]) {
        bits = BitReader(file, parts)
    }

    /// Inflate until the stream ends or the sink has enough.
    ///
    /// - Throws: ``InflateError`` once all that came before was handed on; what the sink throws.
    mutating func run(_ sink: Sink) throws {
        do {
            try blocks(sink)
            try flush(sink)
            try checkSum()
        } catch is EnoughError {
            return
        } catch let error as InflateError {
            do { try flush(sink) } catch is EnoughError { return }
            throw error
        }
    }

    private mutating func blocks(_ sink: Sink) throws {
        let (method, flags) = (try bits.take(8), try bits.take(8))
        guard method & 15 == 8, method >> 4 <= 7, (method << 8 | flags) % 31 == 0, flags & 32 == 0
        else { throw InflateError.damaged }
        var last = false
        while !last {
            last = try bits.take(1) == 1
            switch try bits.take(2) {
            case 0: try stored(sink)
            case 1: try coded(HuffmanCode.fixedLengths, HuffmanCode.fixedDistances, sink)
            case 2:
                let (lengths, distances) = try codes()
                try coded(lengths, distances, sink)
            default: throw InflateError.damaged
            }
        }
    }

    private mutating func stored(_ sink: Sink) throws {
        bits.skipToByte()
        let (length, inverse) = (try bits.take(16), try bits.take(16))
        guard length == ~inverse & 0xffff else { throw InflateError.damaged }
        for _ in 0..<length { try put(UInt8(try bits.take(8)), sink) }
    }

    private mutating func codes() throws -> (HuffmanCode, HuffmanCode) {
        let lengthCount = try bits.take(5) + 257
        let distanceCount = try bits.take(5) + 1
        let codeCount = try bits.take(4) + 4
        guard lengthCount <= 286, distanceCount <= 30 else { throw InflateError.damaged }
        var ofCodes = [UInt8](repeating: 0, count: Inflater.order.count)
        for place in 0..<codeCount { ofCodes[Inflater.order[place]] = UInt8(try bits.take(3)) }
        let code = try HuffmanCode(ofCodes, allowsOne: false)
        var lengths: [UInt8] = []
        while lengths.count < lengthCount + distanceCount {
            let symbol = try bits.symbol(code)
            switch symbol {
            case 0..<16: lengths.append(UInt8(symbol))
            case 16:
                guard let last = lengths.last else { throw InflateError.damaged }
                lengths += [UInt8](repeating: last, count: 3 + (try bits.take(2)))
            case 17: lengths += [UInt8](repeating: 0, count: 3 + (try bits.take(3)))
            default: lengths += [UInt8](repeating: 0, count: 11 + (try bits.take(7)))
            }
        }
        guard lengths.count == lengthCount + distanceCount, lengths[256] != 0 else {
            throw InflateError.damaged
        }
        return (
            try HuffmanCode(Array(lengths[..<lengthCount]), allowsOne: true),
            try HuffmanCode(Array(lengths[lengthCount...]), allowsOne: true)
        )
    }

    private mutating func coded(_ lengths: HuffmanCode, _ distances: HuffmanCode, _ sink: Sink)
        throws
    {
        while true {
            let symbol = try bits.symbol(lengths)
            if symbol < 256 {
                try put(UInt8(symbol), sink)
                continue
            }
            if symbol == 256 { return }
            guard symbol - 257 < Inflater.lengthBase.count else { throw InflateError.damaged }
            let length =
                Inflater.lengthBase[symbol - 257]
                + (try bits.take(Inflater.lengthBits[symbol - 257]))
            let far = try bits.symbol(distances)
            guard far < Inflater.distanceBase.count else { throw InflateError.damaged }
            let distance =
                Inflater.distanceBase[far] + (try bits.take(Inflater.distanceBits[far]))
            guard distance <= written else { throw InflateError.damaged }
            for _ in 0..<length {
                try put(window[(at - distance) & (Inflater.windowBytes - 1)], sink)
            }
        }
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8, _ sink: Sink) throws {
        window[at] = byte
        at += 1
        written += 1
        if at == Inflater.windowBytes {
            try flush(sink)
            at = 0
            sent = 0
        }
    }

    private mutating func flush(_ sink: Sink) throws {
        let (from, end) = (sent, at)
        if from == end { return }
        sent = end
        let ring = window
        var sum = adler
        let wantsMore = try ring.withUnsafeBufferPointer { all in
            let part = UnsafeBufferPointer(rebasing: all[from..<end])
            sum.add(part)
            return try sink(part)
        }
        adler = sum
        if !wantsMore { throw EnoughError() }
    }

    private mutating func checkSum() throws {
        bits.skipToByte()
        var stated: UInt32 = 0
        for _ in 0..<4 { stated = stated << 8 | UInt32(try bits.take(8)) }
        if stated != adler.value { throw InflateError.damaged }
    }
}
