/// The constants with which logits become an answer, fitted on photos; see Python's class.
public struct OperatingPoint: Sendable, Equatable {
    /// Divides all logits; more than 0.
    public let temperature: Double
    /// Below this highest probability the answer is "not sure".
    public let abstainThreshold: Double
    /// Places of the classes that are melanoma; may be empty.
    public let targets: [Int]
    /// At or above this probability melanoma is flagged; nil where no threshold is known.
    public let melanomaThreshold: Double?
    /// The photos it was fitted on, in words.
    public let fittedOn: String

    /// All constants; see the properties.
    public init(
        temperature: Double, abstainThreshold: Double, targets: [Int], melanomaThreshold: Double?,
        fittedOn: String
    ) {
        self.temperature = temperature
        self.abstainThreshold = abstainThreshold
        self.targets = targets
        self.melanomaThreshold = melanomaThreshold
        self.fittedOn = fittedOn
    }

    init(_ fields: Fields, classes: [String]) throws(BundleError) {
        temperature = try fields.positive("temperature")
        abstainThreshold = try fields.share("abstain_threshold")
        targets = try OperatingPoint.targets(fields, classes)
        let isNull = try fields.any("melanoma_threshold") == .null
        melanomaThreshold = isNull ? nil : try fields.share("melanoma_threshold")
        if melanomaThreshold != nil, targets.isEmpty {
            throw fields.wrong("melanoma_threshold", "it needs a melanoma_class")
        }
        fittedOn = try fields.text("fitted_on")
        // What the thresholds were fitted for; an app decides nothing by it.
        _ = try fields.share("target_melanoma_sensitivity")
        _ = try fields.share("target_accuracy")
        _ = try fields.whole("melanoma_images", 0...Int(Int32.max))
        try fields.refuseOthers()
    }

    /// Whether photos were there to fit it on; else probabilities are not calibrated.
    public var isFitted: Bool {
        !fittedOn.hasPrefix("not fitted")
    }

    /// The probability of all target classes together.
    func targetProbability(_ probabilities: [Double]) -> Double {
        targets.reduce(0) { $0 + probabilities[$1] }
    }

    /// Bundles with one target class state it in both fields; both must say the same.
    private static func targets(_ fields: Fields, _ classes: [String]) throws(BundleError) -> [Int]
    {
        let alone = try fields.optionalText("melanoma_class")
        var names = alone.map { [$0] } ?? []
        if fields.has("target_classes") {
            names = try fields.texts("target_classes")
            if alone != (names.count == 1 ? names[0] : nil) {
                throw fields.wrong("melanoma_class", "target_classes name another")
            }
        }
        var places: [Int] = []
        for name in names {
            guard let place = classes.firstIndex(of: name) else {
                let field = alone == nil ? "target_classes" : "melanoma_class"
                throw fields.wrong(field, "it is none of the classes")
            }
            if places.contains(place) {
                throw fields.wrong("target_classes", "different names are needed")
            }
            places.append(place)
        }
        return places
    }
}
