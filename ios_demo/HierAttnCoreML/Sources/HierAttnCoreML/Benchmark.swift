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
        let before = thermalState
        var bundle: ModelBundle?
        var version: String?
        var found: Result<BenchmarkReport.Measured, NoLatency>
        do {
            let assets = FolderAssets(folder)
            let loaded = try ModelBundle.load(assets)
            bundle = loaded
            try loaded.checkFiles(assets)
            let began = ContinuousClock.now
            let classifier = try await CoreMLClassifier(loaded, in: folder, units: units)
            let load = milliseconds(ContinuousClock.now - began)
            version = classifier.runtimeVersion
            found = .success(try measured(loaded, assets, classifier, load))
        } catch {
            found = .failure(NoLatency("\(error)"))
        }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let system = ProcessInfo.processInfo.operatingSystemVersionString
        let report = BenchmarkReport(
            .init(model: machine, system: system, cores: cores), appVersion: appVersion,
            bundle: bundle, runtimeVersion: version, warmup: warmup, runs: runs)
        return report.json(found, heat: (before, thermalState))
    }

    private func measured(
        _ bundle: ModelBundle, _ assets: FolderAssets, _ classifier: CoreMLClassifier,
        _ load: Double
    ) throws -> BenchmarkReport.Measured {
        let golden = "\(ModelBundle.selfTest)/\(bundle.images[0].tensor)"
        let input = try Preprocessor(bundle.preprocessing).input(of: bundle.read(assets, golden))
        let first = try time { _ = try classifier.logits(input: input) }
        let test = SelfTest.run(bundle, assets, classifier)
        var latencies: [Double] = []
        for run in -warmup..<runs where test.passed {
            let took = try time { _ = try classifier.logits(input: input) }
            if run >= 0 { latencies.append(took) }
        }
        return .init(load: load, first: first, latencies: latencies, test: test)
    }

    private func time(_ work: () throws -> Void) rethrows -> Double {
        milliseconds(try ContinuousClock().measure(work))
    }

    private var appVersion: String {
        Bundle.main.infoDictionary?["CFBundleShortVersionString"] as? String ?? "unknown"
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
