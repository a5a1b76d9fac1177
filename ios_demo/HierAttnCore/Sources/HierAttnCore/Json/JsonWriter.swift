extension Json {
    /// Write as JSON in ASCII, so that no reader can mistake the encoding; keys keep their order.
    ///
    /// A number reads back as the same double.
    ///
    /// - Throws: ``JsonError`` for NaN, infinity, or more than ``deepest`` levels.
    public func write() throws(JsonError) -> String {
        var out = ""
        try write(to: &out, depth: 0)
        return out
    }

    /// A number, or null for what is none.
    public static func finite(_ value: Double) -> Json {
        value.isFinite ? .number(value) : .null
    }

    private func write(to out: inout String, depth: Int) throws(JsonError) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .whole(let value): out += String(value)
        case .number(let value):
            guard value.isFinite else { throw JsonError("no JSON for \(value)") }
            out += "\(value)"
        case .text(let value): Json.quote(value, to: &out)
        case .list(let values):
            try Json.enter(depth)
            out += "["
            for (place, value) in values.enumerated() {
                out += place == 0 ? "" : ", "
                try value.write(to: &out, depth: depth + 1)
            }
            out += "]"
        case .object(let members):
            try Json.enter(depth)
            out += "{"
            for (place, member) in members.enumerated() {
                out += place == 0 ? "" : ", "
                Json.quote(member.key, to: &out)
                out += ": "
                try member.value.write(to: &out, depth: depth + 1)
            }
            out += "}"
        }
    }

    private static func enter(_ depth: Int) throws(JsonError) {
        if depth >= deepest { throw JsonError("more than \(deepest) levels") }
    }

    private static func quote(_ text: String, to out: inout String) {
        out += "\""
        for unit in text.utf16 {
            if unit == 0x22 || unit == 0x5c {
                out += "\\"
                out.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            } else if unit < 0x20 || unit > 0x7e {
                let digits = String(unit, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                out.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            }
        }
        out += "\""
    }
}
