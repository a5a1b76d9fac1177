/// Looking into files byte by byte; nothing outside the bytes is ever read.
extension [UInt8] {
    /// A whole number of up to four bytes at a place, without sign; nil where it is not all there.
    func number(at place: Int, size: Int, bigEndian: Bool = true, before end: Int? = nil) -> Int? {
        guard place >= 0, size <= 4, place <= Swift.min(end ?? count, count) - size else {
            return nil
        }
        var value = 0
        for offset in 0..<size {
            value = value << 8 | Int(self[place + (bigEndian ? offset : size - 1 - offset)])
        }
        return value
    }

    /// Whether a text in ASCII stands at a place; false where it would reach behind the end.
    func has(_ text: StaticString, at place: Int) -> Bool {
        has(text.utf8Bytes, at: place)
    }

    /// Whether bytes stand at a place; false where they would reach behind the end.
    func has(_ head: some Collection<UInt8>, at place: Int) -> Bool {
        place >= 0 && place <= count - head.count && self[place...].starts(with: head)
    }

    /// A copy; empty where `end` lies before `from`.
    func part(_ from: Int, _ end: Int) -> [UInt8] {
        end > from ? Array(self[from..<end]) : []
    }

    /// The first 0 at or behind `from`, `end` if there is none.
    func firstZero(from: Int, before end: Int) -> Int {
        var at = from
        while at < end && self[at] != 0 { at += 1 }
        return at
    }
}

extension StaticString {
    var utf8Bytes: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}
