/// Percentiles and mean of measured times, by the linear method that numpy takes by default.
public struct LatencySummary: Sendable, Equatable {
    /// Half of the runs were at most so long, milliseconds.
    public let p50: Double
    /// Nine of ten were, milliseconds.
    public let p90: Double
    /// 99 of 100 were, milliseconds.
    public let p99: Double
    /// Milliseconds.
    public let mean: Double
    /// How many runs.
    public let runs: Int

    /// Summarise; nil where there is no run, or one that is no time.
    ///
    /// - Parameter milliseconds: at least one, each finite and not below 0.
    public init?(_ milliseconds: [Double]) {
        guard !milliseconds.isEmpty, milliseconds.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            return nil
        }
        let sorted = milliseconds.sorted()
        runs = sorted.count
        mean = milliseconds.reduce(0, +) / Double(runs)
        p50 = LatencySummary.percentile(sorted, 50)
        p90 = LatencySummary.percentile(sorted, 90)
        p99 = LatencySummary.percentile(sorted, 99)
    }

    /// A percentile, with a straight line between the two nearest values.
    ///
    /// - Parameters:
    ///   - sorted: rising, at least one value.
    ///   - percent: 0 to 100.
    public static func percentile(_ sorted: [Double], _ percent: Double) -> Double {
        let place = Double(sorted.count - 1) * (percent / 100)
        let below = Int(place.rounded(.down))
        let above = min(below + 1, sorted.count - 1)
        let share = place - Double(below)
        let step = sorted[above] - sorted[below]
        // numpy counts from the nearer end, which decides the last bit.
        return share >= 0.5 ? sorted[above] - step * (1 - share) : sorted[below] + step * share
    }

    /// With the fields runs, p50_ms, p90_ms, p99_ms and mean_ms.
    public var json: Json {
        .object([
            .init("runs", .whole(Int64(runs))), .init("p50_ms", .number(p50)),
            .init("p90_ms", .number(p90)), .init("p99_ms", .number(p99)),
            .init("mean_ms", .number(mean)),
        ])
    }
}
