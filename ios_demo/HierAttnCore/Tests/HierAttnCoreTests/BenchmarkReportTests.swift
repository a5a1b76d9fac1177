import XCTest

@testable import HierAttnCore

/// What Python reads afterwards: `make test-ios` takes both files back.
final class BenchmarkReportTests: XCTestCase {
    private let phone = BenchmarkReport.Device(model: "iPhone15,2", system: "iOS 18.1", cores: 6)

    private func report(_ bundle: ModelBundle?) -> BenchmarkReport {
        BenchmarkReport(
            phone, appVersion: "1.0", bundle: bundle, runtimeVersion: bundle.map { _ in "18, CPU" },
            warmup: 10, runs: 3)
    }

    func testAMeasuredOneIsReadByPython() throws {
        let assets = try MapAssets.fake()
        let bundle = try assets.bundle()
        let test = SelfTest.run(bundle, assets, FakeClassifier())
        let found = report(bundle).json(
            .success(.init(load: 12.5, first: 3, latencies: [2, 1, 4], test: test)),
            heat: ("nominal", "fair"))
        XCTAssertEqual(found["status"], .text("done"))
        XCTAssertEqual(found["p50_ms"], .number(2))
        XCTAssertEqual(found["latencies_ms"], .list([.number(2), .number(1), .number(4)]))
        XCTAssertEqual(Set(found.keys).count, found.keys.count)
        try Vectors.write("benchmark_done.json", found)
    }

    func testWithoutAnswersThereIsNoLatency() throws {
        let assets = try MapAssets.fake()
        let bundle = try assets.bundle()
        let off = FakeClassifier { _, logits in logits.map { $0 + 1 } }
        let wrong = SelfTest.run(bundle, assets, off)
        let found = BenchmarkReport.Measured(load: 1, first: 1, latencies: [1, 1, 1], test: wrong)
        let refused = report(bundle).json(.success(found), heat: (nil, nil))
        XCTAssertEqual(refused["status"], .text("error"))
        XCTAssertEqual(refused["latencies_ms"], .null)
        guard case .text(let reason)? = refused["reason"] else { return XCTFail("no reason") }
        assertSays(reason, "did not pass, so there is no latency")
        let right = SelfTest.run(bundle, assets, FakeClassifier())
        let empty = BenchmarkReport.Measured(load: 1, first: 1, latencies: [], test: right)
        let none = report(bundle).json(.success(empty), heat: (nil, nil))
        XCTAssertEqual(none["reason"], .text("no run was measured"))
        let broken = report(nil).json(.failure(NoLatency("no bundle")), heat: (nil, "fair"))
        XCTAssertEqual(broken["reason"], .text("no bundle"))
        try Vectors.write("benchmark_error.json", broken)
    }
}
