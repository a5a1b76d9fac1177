/// A picture cannot be decoded, or its pixels have no defined meaning.
public struct UnreadableImage: Error, Equatable, CustomStringConvertible {
    /// One line that says what is wrong with the picture.
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
