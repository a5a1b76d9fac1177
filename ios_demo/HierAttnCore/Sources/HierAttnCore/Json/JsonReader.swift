extension Json {
    /// Read one value from UTF-8.
    ///
    /// Refused: a key given twice, NaN and infinity, numbers beyond a double, unpaired surrogates,
    /// bytes that are no UTF-8, more than ``deepest`` levels, anything behind the value.
    ///
    /// - Throws: ``JsonError``, which says what is wrong and at which byte.
    public static func parse(_ utf8: [UInt8]) throws(JsonError) -> Json {
        // What is damaged would be replaced, and then not be equal.
        guard String(decoding: utf8, as: UTF8.self).utf8.elementsEqual(utf8) else {
            throw JsonError("not UTF-8")
        }
        var reader = JsonReader(utf8)
        let value = try reader.value(depth: 0)
        try reader.end()
        return value
    }

    /// Read one value from a text.
    public static func parse(_ text: String) throws(JsonError) -> Json {
        try parse(Array(text.utf8))
    }
}

/// Walks once over the bytes of a JSON text.
private struct JsonReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func end() throws(JsonError) {
        skipSpace()
        if at < bytes.count { throw error("more text behind the value") }
    }

    mutating func value(depth: Int) throws(JsonError) -> Json {
        skipSpace()
        guard at < bytes.count else { throw error("the text ends where a value is needed") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(_ depth: Int) throws(JsonError) -> Json {
        var members: [Json.Member] = []
        var keys: Set<String> = []
        try enter(depth)
        if ends("}") { return .object(members) }
        repeat {
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
                throw error("a key in quotes is needed")
            }
            let key = try string()
            skipSpace()
            guard takes(":") else { throw error("':' is needed behind a key") }
            guard keys.insert(key).inserted else {
                throw error("the key \"\(key)\" stands there twice")
            }
            members.append(Json.Member(key, try value(depth: depth + 1)))
            skipSpace()
        } while takes(",")
        guard takes("}") else { throw error("',' or '}' is needed") }
        return .object(members)
    }

    private mutating func array(_ depth: Int) throws(JsonError) -> Json {
        var values: [Json] = []
        try enter(depth)
        if ends("]") { return .list(values) }
        repeat {
            values.append(try value(depth: depth + 1))
            skipSpace()
        } while takes(",")
        guard takes("]") else { throw error("',' or ']' is needed") }
        return .list(values)
    }

    private mutating func enter(_ depth: Int) throws(JsonError) {
        if depth >= Json.deepest { throw error("more than \(Json.deepest) levels") }
        at += 1
    }

    private mutating func ends(_ bracket: Unicode.Scalar) -> Bool {
        skipSpace()
        return takes(bracket)
    }

    private mutating func takes(_ wanted: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: wanted) else { return false }
        at += 1
        return true
    }

    private mutating func string() throws(JsonError) -> String {
        var utf8: [UInt8] = []
        at += 1
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: utf8, as: UTF8.self) }
            if byte < 0x20 { throw error("a control character in a string") }
            if byte == UInt8(ascii: "\\") {
                utf8.append(contentsOf: String(try escaped()).utf8)
            } else {
                utf8.append(byte)
            }
        }
        throw error("the text ends within a string")
    }

    private mutating func escaped() throws(JsonError) -> Character {
        switch next() {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return Character(try scalar())
        default: throw error("an unknown escape")
        }
    }

    /// The character of `\u....`, of two such where the first is half a character.
    private mutating func scalar() throws(JsonError) -> Unicode.Scalar {
        let unit = try hexadecimal()
        if let whole = Unicode.Scalar(unit) { return whole }
        guard unit < 0xdc00, next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u") else {
            throw error("half a character (an unpaired surrogate)")
        }
        let low = try hexadecimal()
        guard (0xdc00...0xdfff).contains(low),
            let pair = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00))
        else { throw error("half a character (an unpaired surrogate)") }
        return pair
    }

    private mutating func hexadecimal() throws(JsonError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next(), let digit = hexadecimalDigit(byte) else {
                throw error("four hexadecimal digits are needed")
            }
            code = code << 4 | UInt32(digit)
        }
        return code
    }

    private mutating func next() -> UInt8? {
        guard at < bytes.count else { return nil }
        at += 1
        return bytes[at - 1]
    }

    private mutating func word(_ word: String, _ value: Json) throws(JsonError) -> Json {
        guard bytes[at...].starts(with: word.utf8) else { throw error("not a value") }
        at += word.utf8.count
        return value
    }

    private mutating func number() throws(JsonError) -> Json {
        let start = at
        _ = takes("-")
        if !takes("0") { try digits() }
        var whole = true
        if takes(".") {
            whole = false
            try digits()
        }
        if takes("e") || takes("E") {
            whole = false
            if !takes("+") { _ = takes("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if whole, let value = Int64(text) { return .whole(value) }
        guard let value = Double(text), value.isFinite else {
            throw error("the number \(text) is too large")
        }
        return .number(value)
    }

    private mutating func digits() throws(JsonError) {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) {
            at += 1
        }
        if at == start { throw error("not a value") }
    }

    private mutating func skipSpace() {
        while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
    }

    private func error(_ what: String) -> JsonError {
        JsonError("JSON, byte \(at): \(what)")
    }
}

/// The value of a digit of either case, 0 to 15; nil for any other byte.
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
    default: return nil
    }
}
