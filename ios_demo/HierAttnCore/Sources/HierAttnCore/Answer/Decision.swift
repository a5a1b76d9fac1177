/// What the app says of one picture: at most three classes, whether it is sure, and whether
/// melanoma must be flagged. Both thresholds stand beside each other: a picture can be "not sure"
/// and flagged.
public struct Decision: Sendable, Equatable {
    /// Classes shown.
    public static let shown = 3

    /// One class with its calibrated probability.
    public struct Candidate: Sendable, Equatable {
        /// Place in the bundle's classes.
        public let place: Int
        /// The class.
        public let label: String
        /// 0 to 1.
        public let probability: Double
    }

    /// The likeliest classes, likeliest first.
    public let top: [Candidate]
    /// Calibrated, one a class.
    public let probabilities: [Double]
    /// False where the highest probability is below the abstain threshold: say "not sure".
    public let sure: Bool
    /// Probability of the target classes together, 0 where there are none.
    public let melanomaProbability: Double
    /// Whether the probability of melanoma reaches its threshold; nil where none is known.
    public let melanomaFlag: Bool?

    /// Decide by an operating point.
    ///
    /// - Parameters:
    ///   - logits: one a class.
    ///   - classes: in the same order.
    /// - Throws: ``AnswerError`` for another number of logits, NaN or infinity: never an answer.
    public init(logits: [Float], classes: [String], point: OperatingPoint) throws(AnswerError) {
        guard logits.count == classes.count else {
            throw AnswerError(description: "\(logits.count) logits for \(classes.count) classes")
        }
        let shares = try Probabilities.softmax(logits, temperature: point.temperature)
        probabilities = shares
        top = Probabilities.top(shares, Decision.shown).map {
            Candidate(place: $0, label: classes[$0], probability: shares[$0])
        }
        sure = top[0].probability >= point.abstainThreshold
        let melanoma = point.targetProbability(shares)
        melanomaProbability = melanoma
        melanomaFlag = point.targets.isEmpty ? nil : point.melanomaThreshold.map { melanoma >= $0 }
    }

    /// With the fields top, sure and melanoma_flag.
    public var json: Json {
        let listed = top.map {
            Json.object([
                .init("class", .text($0.label)), .init("probability", .number($0.probability)),
            ])
        }
        return .object([
            .init("top", .list(listed)), .init("sure", .bool(sure)),
            .init("melanoma_flag", melanomaFlag.map(Json.bool) ?? .null),
        ])
    }
}
