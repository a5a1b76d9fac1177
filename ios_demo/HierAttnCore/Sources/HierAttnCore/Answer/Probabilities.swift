#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// What the model answered is no answer: never shown.
public struct AnswerError: Error, Equatable, CustomStringConvertible {
    /// One line.
    public let description: String
}

/// From logits to calibrated probabilities.
public enum Probabilities {
    /// softmax(logits / temperature), in double precision.
    ///
    /// - Parameters:
    ///   - logits: one a class, at least one, all finite.
    ///   - temperature: more than 0.
    /// - Returns: as many probabilities, which add up to 1.
    /// - Throws: ``AnswerError`` for NaN, infinity, no logits, or a temperature of 0 or less.
    public static func softmax(_ logits: [Float], temperature: Double) throws(AnswerError)
        -> [Double]
    {
        guard !logits.isEmpty, temperature > 0, temperature.isFinite else {
            throw AnswerError(description: "\(logits.count) logits at temperature \(temperature)")
        }
        if let wrong = logits.first(where: { !$0.isFinite }) {
            throw AnswerError(description: "a logit is \(wrong)")
        }
        let scaled = logits.map { Double($0) / temperature }
        let largest = scaled.max()!
        let shares = scaled.map { exp($0 - largest) }
        let sum = shares.reduce(0, +)
        return shares.map { $0 / sum }
    }

    /// The places of the highest values, highest first; of equals the lower place comes first.
    ///
    /// - Parameters:
    ///   - values: none NaN.
    ///   - count: how many are wanted; all of them where there are fewer.
    public static func top(_ values: [Double], _ count: Int) -> [Int] {
        let order = values.indices.sorted {
            values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1
        }
        return Array(order.prefix(max(count, 0)))
    }
}
