/// Reads the fields of a JSON object, names the one that is absent or of another kind, and at the
/// end the one that nobody asked for.
final class Fields {
    /// The names of all fields, in the order of the file.
    let names: [String]
    private let values: [String: Json]
    private let place: String
    private var asked: Set<String> = []

    /// - Parameters:
    ///   - json: what the file holds there.
    ///   - place: how an error names it, such as "bundle.json".
    init(_ json: Json, _ place: String) throws(BundleError) {
        guard case .object(let members) = json else {
            throw BundleError("\(place): an object is needed; bundle again")
        }
        names = members.map(\.key)
        values = Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.value) })
        self.place = place
    }

    func wrong(_ name: String, _ needed: String) -> BundleError {
        BundleError("\(place): field '\(name)': \(needed); bundle again")
    }

    /// Refuse a field that was not read: a newer tool may have meant something by it.
    func refuseOthers() throws(BundleError) {
        for name in names where !asked.contains(name) {
            throw wrong(name, "it is not known here")
        }
    }

    func has(_ name: String) -> Bool {
        values[name] != nil
    }

    func any(_ name: String) throws(BundleError) -> Json {
        asked.insert(name)
        guard let value = values[name] else { throw wrong(name, "it is missing") }
        return value
    }

    func text(_ name: String) throws(BundleError) -> String {
        guard case .text(let value) = try any(name) else {
            throw wrong(name, "a string is needed")
        }
        return value
    }

    /// A string, or nil for null.
    func optionalText(_ name: String) throws(BundleError) -> String? {
        try any(name) == .null ? nil : try text(name)
    }

    func text(_ name: String, among known: [String]) throws(BundleError) -> String {
        let value = try text(name)
        guard known.contains(value) else {
            throw wrong(name, "one of \(known.joined(separator: ", ")) is needed")
        }
        return value
    }

    func truth(_ name: String) throws(BundleError) -> Bool {
        guard case .bool(let value) = try any(name) else {
            throw wrong(name, "true or false is needed")
        }
        return value
    }

    func number(_ name: String) throws(BundleError) -> Double {
        try number(name, try any(name))
    }

    func positive(_ name: String) throws(BundleError) -> Double {
        let value = try number(name)
        guard value > 0 else { throw wrong(name, "more than 0 is needed") }
        return value
    }

    /// A number from 0 to 1.
    func share(_ name: String) throws(BundleError) -> Double {
        let value = try number(name)
        guard (0...1).contains(value) else { throw wrong(name, "0 to 1 is needed") }
        return value
    }

    func whole(_ name: String, _ range: ClosedRange<Int>) throws(BundleError) -> Int {
        guard case .whole(let value) = try any(name), let whole = Int(exactly: value),
            range.contains(whole)
        else {
            throw wrong(
                name,
                "a whole number from \(range.lowerBound) to \(range.upperBound) is needed")
        }
        return whole
    }

    func object(_ name: String) throws(BundleError) -> Fields {
        try Fields(try any(name), "\(place): \(name)")
    }

    func list(_ name: String) throws(BundleError) -> [Json] {
        guard case .list(let values) = try any(name) else { throw wrong(name, "a list is needed") }
        return values
    }

    /// A list of objects, each named by its number.
    func objects(_ name: String, each: String) throws(BundleError) -> [Fields] {
        var found: [Fields] = []
        for (number, value) in try list(name).enumerated() {
            found.append(try Fields(value, "\(place): \(each) \(number)"))
        }
        if found.isEmpty { throw wrong(name, "at least one is needed") }
        return found
    }

    func texts(_ name: String) throws(BundleError) -> [String] {
        var texts: [String] = []
        for value in try list(name) {
            guard case .text(let text) = value else {
                throw wrong(name, "a list of strings is needed")
            }
            texts.append(text)
        }
        return texts
    }

    func numbers(_ name: String, _ count: Int) throws(BundleError) -> [Double] {
        let values = try list(name)
        guard values.count == count else {
            throw wrong(name, "\(count) numbers are needed, not \(values.count)")
        }
        var numbers: [Double] = []
        for value in values { numbers.append(try number(name, value)) }
        return numbers
    }

    /// A sha256 in small hexadecimal digits.
    func sha256(_ name: String) throws(BundleError) -> String {
        let value = try text(name)
        let digits = Array(value.utf8)
        let small = { (byte: UInt8) in
            hexadecimalDigit(byte) != nil && !(UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
        }
        guard digits.count == 64, digits.allSatisfy(small) else {
            throw wrong(name, "a sha256 of 64 digits is needed")
        }
        return value
    }

    private func number(_ name: String, _ value: Json) throws(BundleError) -> Double {
        switch value {
        case .whole(let whole): return Double(whole)
        case .number(let number): return number
        default: throw wrong(name, "a number is needed")
        }
    }
}
