#if canImport(CoreML)
import Foundation
import HierAttnCore

/// Measures a bundle's model on this device, and says it in the fields of the Android app.
///
/// A run is the runtime's own, from floats to logits. The self-test comes before any time is told:
/// a wrong answer has no latency.
public struct Benchmark: Sendable {
    private let folder: URL
    private let runs: Int
    private let warmup: Int

    /// - Parameters:
    ///   - folder: of the bundle.
    ///   - runs: measured ones, at least 1.
    ///   - warmup: those before, which do not count.
    public init(_ folder: URL, runs: Int = 100, warmup: Int = 10) {
        self.folder = folder
        self.runs = max(runs, 1)
        self.warmup = max(warmup, 0)
    }

    /// The result; its status is "error" with a reason where there is no latency.
    public func run(_ units: ComputeUnits) async -> Json {
        do {
            return try await measured(units)
        } catch {
            return .object(head("error", "\(error)"))
        }
    }

    private func measured(_ units: ComputeUnits) async throws -> Json {
        let assets = FolderAssets(folder)
        let bundle = try ModelBundle.load(assets)
        try bundle.checkFiles(assets)
        let golden = "\(ModelBundle.selfTest)/\(bundle.images[0].tensor)"
        let input = try Preprocessor(bundle.preprocessing).input(of: bundle.read(assets, golden))
        let before = thermalState
        let clock = ContinuousClock()
        let began = clock.now
        let classifier = try await CoreMLClassifier(bundle, in: folder, units: units)
        let loaded = clock.now - began
        let first = try clock.measure { _ = try classifier.logits(input: input) }
        let test = SelfTest.run(bundle, assets, classifier)
        guard test.passed else {
            let words = "the self-test did not pass, so there is no latency: "
            return .object(head("error", words + (test.reason ?? ""), bundle, classifier))
        }
        var latencies: [Double] = []
        for run in -warmup..<runs {
            let took = try clock.measure { _ = try classifier.logits(input: input) }
            if run >= 0 { latencies.append(milliseconds(took)) }
        }
        guard let summary = LatencySummary(latencies), case .object(let figures) = summary.json
        else { return .object(head("error", "no run was measured", bundle, classifier)) }
        let facts: [Json.Member] = [
            .init("warmup", .whole(Int64(warmup))), .init("load_ms", .number(milliseconds(loaded))),
            .init("first_ms", .number(milliseconds(first))),
            .init("latencies_ms", .list(latencies.map(Json.number))),
        ]
        let heat = Json.object([
            .init("before", .text(before)), .init("after", .text(thermalState)),
        ])
        let selfTest = Json.object([
            .init("status", .text(test.status.rawValue)),
            .init("max_relative", Json.finite(test.maxRelative)),
        ])
        return .object(
            head("done", nil, bundle, classifier) + facts + figures
                + [.init("thermal", heat), .init("selftest", selfTest)])
    }

    private func head(
        _ status: String, _ reason: String?, _ bundle: ModelBundle? = nil,
        _ classifier: CoreMLClassifier? = nil
    ) -> [Json.Member] {
        let artefact = bundle.map { bundle in
            Json.object([
                .init("file", .text(bundle.artefact)), .init("sha256", .text(bundle.sha256)),
                .init("format", .text(ModelBundle.format)),
                .init("precision", .text(bundle.precision)),
            ])
        }
        let version = classifier.map { Json.text($0.runtimeVersion) } ?? .null
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return [
            .init("schema", .whole(1)), .init("status", .text(status)),
            .init("reason", reason.map(Json.text) ?? .null),
            .init("runtime", .object([.init("name", .text("coreml")), .init("version", version)])),
            .init("artefact", artefact ?? .null),
            .init(
                "device",
                .object([
                    .init("manufacturer", .text("Apple")), .init("model", .text(machine)),
                    .init("cores", .whole(Int64(cores))),
                ])),
        ]
    }

    /// How warm the device says it is.
    private var thermalState: String {
        switch ProcessInfo.processInfo.thermalState {
        case .nominal: return "nominal"
        case .fair: return "fair"
        case .serious: return "serious"
        case .critical: return "critical"
        @unknown default: return "unknown"
        }
    }

    /// Such as "iPhone15,2".
    private var machine: String {
        var names = utsname()
        uname(&names)
        return withUnsafeBytes(of: &names.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private func milliseconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) * 1e3 + Double(attoseconds) / 1e15
    }
}
#endif
