/// What a benchmark found, in the fields of the Android app's result: one reader reads both.
///
/// What this system does not tell is null: threads, which Core ML chooses, the chip, Android's
/// version, memory and battery.
public struct BenchmarkReport: Sendable {
    /// What measured.
    public struct Device: Sendable {
        let model: String
        let system: String
        let cores: Int

        /// - Parameters:
        ///   - model: such as "iPhone15,2".
        ///   - system: name and version.
        ///   - cores: that are active.
        public init(model: String, system: String, cores: Int) {
            (self.model, self.system, self.cores) = (model, system, cores)
        }
    }

    /// The figures, milliseconds.
    public struct Measured: Sendable {
        let load: Double
        let first: Double
        let latencies: [Double]
        let test: SelfTestResult

        /// - Parameters:
        ///   - load: from the package to a model that can be asked.
        ///   - first: the first answer.
        ///   - latencies: of the runs behind the warm-up.
        ///   - test: which passed; a wrong answer has no latency.
        public init(load: Double, first: Double, latencies: [Double], test: SelfTestResult) {
            (self.load, self.first, self.latencies, self.test) = (load, first, latencies, test)
        }
    }

    private let head: [Json.Member]
    private let runs: [Json.Member]
    private let device: Json

    /// - Parameters:
    ///   - appVersion: of the app that measures.
    ///   - bundle: nil where it could not be read.
    ///   - runtimeVersion: nil where there is no model.
    ///   - warmup: runs that do not count.
    ///   - runs: those that do.
    public init(
        _ device: Device, appVersion: String, bundle: ModelBundle?, runtimeVersion: String?,
        warmup: Int, runs: Int
    ) {
        let artefact = bundle.map { bundle in
            Json.object([
                .init("file", .text(bundle.artefact)), .init("sha256", .text(bundle.sha256)),
                .init("format", .text(ModelBundle.format)),
                .init("precision", .text(bundle.precision)),
            ])
        }
        let version = runtimeVersion.map(Json.text) ?? .null
        head = [
            .init("app_version", .text(appVersion)),
            .init("runtime", .object([.init("name", .text("coreml")), .init("version", version)])),
            .init("artefact", artefact ?? .null),
        ]
        self.runs = [
            .init("threads", .null), .init("warmup", .whole(Int64(warmup))),
            .init("runs", .whole(Int64(runs))),
        ]
        self.device = .object([
            .init("manufacturer", .text("Apple")), .init("model", .text(device.model)),
            .init("system", .text(device.system)), .init("cores", .whole(Int64(device.cores))),
            .init("chip", .null), .init("android", .null), .init("sdk", .null), .init("abi", .null),
        ])
    }

    /// The result of a benchmark, or why there is none.
    ///
    /// - Parameters:
    ///   - found: the figures, or one line that says why there are none.
    ///   - heat: the thermal state before and after, nil where it is not known.
    public func json(_ found: Result<Measured, NoLatency>, heat: (before: String?, after: String?))
        -> Json
    {
        switch found {
        case .failure(let failure):
            return json("error", .text(failure.description), BenchmarkReport.unknown, heat)
        case .success(let measured):
            guard measured.test.passed else {
                let words = "the self-test did not pass, so there is no latency: "
                return json(.failure(NoLatency(words + (measured.test.reason ?? ""))), heat: heat)
            }
            guard let summary = LatencySummary(measured.latencies) else {
                return json(.failure(NoLatency("no run was measured")), heat: heat)
            }
            return json("done", .null, BenchmarkReport.figures(measured, summary), heat)
        }
    }

    /// The fields of figures without one, so that a reader finds each.
    private static let unknown: [Json.Member] = [
        .init("load_ms", .null), .init("first_ms", .null), .init("latencies_ms", .null),
        .init("p50_ms", .null), .init("p90_ms", .null), .init("p99_ms", .null),
        .init("mean_ms", .null), .init("selftest", .null),
    ]

    private static func figures(_ measured: Measured, _ summary: LatencySummary) -> [Json.Member] {
        let test = Json.object([
            .init("status", .text(measured.test.status.rawValue)),
            .init("max_relative", Json.finite(measured.test.maxRelative)),
        ])
        return [
            .init("load_ms", .number(measured.load)), .init("first_ms", .number(measured.first)),
            .init("latencies_ms", .list(measured.latencies.map(Json.number))),
            .init("p50_ms", .number(summary.p50)), .init("p90_ms", .number(summary.p90)),
            .init("p99_ms", .number(summary.p99)), .init("mean_ms", .number(summary.mean)),
            .init("selftest", test),
        ]
    }

    private func json(
        _ status: String, _ reason: Json, _ figures: [Json.Member],
        _ heat: (before: String?, after: String?)
    ) -> Json {
        let thermal = Json.object([
            .init("before", heat.before.map(Json.text) ?? .null),
            .init("after", heat.after.map(Json.text) ?? .null),
        ])
        let battery = Json.object([
            .init("percent", .null), .init("charging", .null), .init("temperature_c", .null),
        ])
        var members: [Json.Member] = [
            .init("schema", .whole(1)), .init("token", .text("")), .init("status", .text(status)),
            .init("reason", reason),
        ]
        members += head
        members.append(.init("device", device))
        members += runs
        members += figures
        members.append(.init("thermal", thermal))
        members.append(.init("battery", battery))
        members.append(.init("peak_rss_mb", .null))
        return .object(members)
    }
}

/// Why nothing was measured.
public struct NoLatency: Error, Equatable, CustomStringConvertible {
    /// One line.
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
