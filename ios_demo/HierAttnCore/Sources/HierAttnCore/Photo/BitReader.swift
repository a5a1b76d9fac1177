/// Takes bits, lowest first, from parts of a file.
struct BitReader {
    private let file: [UInt8]
    private var parts: ArraySlice<Range<Int>>
    private var at = 0
    private var end = 0
    private var held: UInt64 = 0
    private var count = 0

    init(_ file: [UInt8], _ parts: [Range<Int>]) {
        self.file = file
        self.parts = parts[...]
    }

    /// The next bits as a number.
    ///
    /// - Parameter wanted: 0 to 16.
    mutating func take(_ wanted: Int) throws(InflateError) -> Int {
        if count < wanted { fill() }
        guard count >= wanted else { throw .cut }
        let value = Int(held & (1 << UInt64(wanted) - 1))
        drop(wanted)
        return value
    }

    /// The next symbol of a code.
    mutating func symbol(_ code: HuffmanCode) throws(InflateError) -> Int {
        if count < HuffmanCode.longest { fill() }
        let (symbol, length) = code.entry(held)
        guard length <= count else { throw .cut }
        guard length > 0 else { throw count < code.bits ? .cut : .damaged }
        drop(length)
        return symbol
    }

    /// Leave the rest of a byte that was begun.
    mutating func skipToByte() {
        drop(count % 8)
    }

    private mutating func drop(_ bits: Int) {
        held >>= UInt64(bits)
        count -= bits
    }

    /// Hold more than 48 bits, or all that are left.
    private mutating func fill() {
        while count <= 48 {
            while at == end {
                guard let next = parts.popFirst() else { return }
                (at, end) = (next.lowerBound, next.upperBound)
            }
            held |= UInt64(file[at]) << UInt64(count)
            at += 1
            count += 8
        }
    }
}

/// A prefix code of deflate as one table, from the next bits to a symbol.
struct HuffmanCode: Sendable {
    /// Bits of the longest code there can be.
    static let longest = 15
    static let fixedLengths = try! HuffmanCode(
        [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112)
            + [UInt8](repeating: 7, count: 24) + [UInt8](repeating: 8, count: 8), allowsOne: true)
    static let fixedDistances = try! HuffmanCode(
        [UInt8](repeating: 5, count: 32), allowsOne: true)

    /// Bits of the longest code in it.
    let bits: Int
    /// Symbol times 16 plus length; 0 where no code fits.
    private let table: [UInt16]

    /// - Parameters:
    ///   - lengths: bits of every symbol's code, 0 for none.
    ///   - allowsOne: whether a lone code of one bit, or none, may leave bits without meaning.
    /// - Throws: lengths that fit no code.
    init(_ lengths: [UInt8], allowsOne: Bool) throws(InflateError) {
        var counts = [Int](repeating: 0, count: HuffmanCode.longest + 1)
        for length in lengths where length > 0 { counts[Int(length)] += 1 }
        bits = counts.lastIndex { $0 > 0 } ?? 0
        var left = 1
        for length in 1...HuffmanCode.longest {
            left = left * 2 - counts[length]
            if left < 0 { throw .damaged }
        }
        if left > 0 && !(allowsOne && bits <= 1) { throw .damaged }
        var next = [Int](repeating: 0, count: HuffmanCode.longest + 2)
        for length in 1...HuffmanCode.longest {
            next[length + 1] = (next[length] + counts[length]) << 1
        }
        var table = [UInt16](repeating: 0, count: 1 << bits)
        for (symbol, length) in lengths.enumerated() where length > 0 {
            let length = Int(length)
            let code = next[length]
            next[length] += 1
            var place = 0
            for bit in 0..<length { place |= (code >> bit & 1) << (length - 1 - bit) }
            while place < table.count {
                table[place] = UInt16(symbol << 4 | length)
                place += 1 << length
            }
        }
        self.table = table
    }

    /// The symbol that the lowest bits begin with, and its length; length 0 where there is none.
    @inline(__always)
    func entry(_ held: UInt64) -> (symbol: Int, length: Int) {
        let entry = Int(table[Int(held & UInt64(table.count - 1))])
        return (entry >> 4, entry & 15)
    }
}
