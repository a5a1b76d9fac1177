/// A JSON value. Whole numbers that fit 64 bits are kept apart from others.
public enum Json: Sendable, Equatable {
    case null
    case bool(Bool)
    case whole(Int64)
    case number(Double)
    case text(String)
    case list([Json])
    /// The members in the order of the file, no key twice.
    case object([Member])

    /// One key of an object, with its value.
    public struct Member: Sendable, Equatable {
        public let key: String
        public let value: Json

        public init(_ key: String, _ value: Json) {
            self.key = key
            self.value = value
        }
    }

    /// Levels of objects and arrays that are followed.
    public static let deepest = 64

    /// The value of a key; nil where this is no object or has no such key.
    public subscript(key: String) -> Json? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// The value at a place; nil where this is no list or is shorter.
    public subscript(place: Int) -> Json? {
        guard case .list(let values) = self, values.indices.contains(place) else { return nil }
        return values[place]
    }
}

/// A text is not strict JSON, or a value cannot be written as JSON.
public struct JsonError: Error, Equatable, CustomStringConvertible {
    /// One line that says what is wrong, and at which byte.
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
