/// The checksum of PNG chunks (ISO 3309).
enum Crc32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { sum, _ in
            sum & 1 == 1 ? 0xedb8_8320 ^ sum >> 1 : sum >> 1
        }
    }

    static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8
        }
    }
}

/// The checksum at the end of zlib's streams (RFC 1950).
struct Adler32 {
    private static let modulus: UInt32 = 65521
    /// As many sums as fit 32 bits before a division is needed.
    private static let most = 5552
    private var low: UInt32 = 1
    private var high: UInt32 = 0

    var value: UInt32 { high << 16 | low }

    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        var at = 0
        while at < bytes.count {
            let end = min(at + Adler32.most, bytes.count)
            for place in at..<end {
                low &+= UInt32(bytes[place])
                high &+= low
            }
            low %= Adler32.modulus
            high %= Adler32.modulus
            at = end
        }
    }
}
