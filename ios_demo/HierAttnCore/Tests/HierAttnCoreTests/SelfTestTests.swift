import XCTest

@testable import HierAttnCore

/// The self-test must pass what is right, and refuse whatever was tampered with.
final class SelfTestTests: XCTestCase {
    private func run(_ assets: MapAssets, _ classifier: FakeClassifier = FakeClassifier()) throws
        -> SelfTestResult
    {
        SelfTest.run(try assets.bundle(), assets, classifier)
    }

    private func assertRefused(
        _ result: SelfTestResult, _ said: String, _ status: SelfTestResult.Status = .failed,
        file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertFalse(result.passed, file: file, line: line)
        XCTAssertEqual(result.status, status, file: file, line: line)
        assertSays(result.reason, said, file: file, line: line)
    }

    func testRightBundlePasses() throws {
        let result = try run(MapAssets.fake())
        XCTAssertNil(result.reason)
        XCTAssertTrue(result.passed)
        XCTAssertEqual(result.images.count, 10)
        XCTAssertEqual(result.maxRelative, 0)
        XCTAssertTrue(result.images.allSatisfy { $0.passed && $0.differingBytes == 0 })
    }

    /// One stated logit of the third picture moved by a share of its scale.
    private func tampered(_ share: Double) throws -> MapAssets {
        let assets = try MapAssets.fake()
        let image = try assets.bundle().images[2]
        return try assets.replacing(
            Json.number(image.logits[1]).write(),
            Json.number(image.logits[1] + image.scale * share).write())
    }

    func testTamperedLogitIsRefused() throws {
        let result = try run(tampered(2e-5))
        assertRefused(result, "small_tall.png: a logit lies ")
        XCTAssertTrue(result.images[1].passed)
        XCTAssertFalse(result.images[2].passed)
        XCTAssertEqual(result.maxRelative, 2e-5, accuracy: 1e-7)
    }

    func testLogitWithinTolerancePasses() throws {
        let result = try run(tampered(0.9e-5))
        XCTAssertTrue(result.passed, result.reason ?? "")
        XCTAssertEqual(result.maxRelative, 0.9e-5, accuracy: 1e-7)
    }

    func testTamperedTensorIsRefused() throws {
        let assets = try MapAssets.fake().flippingBitAndHash("selftest/odd.rgb", 777)
        assertRefused(try run(assets), "preprocessing gives other pixels in 1 of 12288 bytes")
    }

    func testChangedAndMissingFilesAreRefused() throws {
        let assets = try MapAssets.fake()
        for path in assets.files.keys where path != ModelBundle.file {
            let classifier = FakeClassifier()
            let changed = assets.flippingBit(path, 5)
            assertRefused(
                try run(changed, classifier), "\(path): not the file that was bundled")
            XCTAssertEqual(classifier.asked, 0, "nothing is asked before the files are right")
            var fewer = assets
            fewer.files[path] = nil
            assertRefused(try run(fewer), "\(path): cannot be read")
        }
    }

    func testNotANumberIsRefusedAndWrittenAsNull() throws {
        for wrong in [Float.nan, .infinity, -.infinity] {
            let classifier = FakeClassifier { asked, logits in
                asked == 4 ? [logits[0], logits[1], wrong] : logits
            }
            let result = try run(MapAssets.fake(), classifier)
            assertRefused(result, "no number")
            assertSays(
                try result.json.write(), "null], \"max_relative\": null, \"passed\": false")
        }
    }

    func testWrongNumberOfLogitsIsRefused() throws {
        for count in [0, 2, 4] {
            let classifier = FakeClassifier { _, _ in [Float](repeating: 0, count: count) }
            assertRefused(
                try run(MapAssets.fake(), classifier), "the model gives \(count) logits for 3")
        }
    }

    func testSwappedClassesAreRefused() throws {
        let classifier = FakeClassifier { _, logits in [logits[1], logits[0], logits[2]] }
        assertRefused(try run(MapAssets.fake(), classifier), "a logit lies")
    }

    func testBrokenRuntimeIsAnError() throws {
        let classifier = FakeClassifier { _, _ in throw Broken("out of memory") }
        assertRefused(
            try run(MapAssets.fake(), classifier), "the runtime failed: out of memory", .error)
    }

    func testOtherDecodersAreRefused() throws {
        let assets = try MapAssets.fake()
        let bundle = try assets.bundle()
        var result = SelfTest.run(bundle, assets, FakeClassifier()) {
            png throws(UnreadableImage) in
            let image = try PngDecoder.decode(png)
            var rgb = image.rgb
            rgb[0] &+= 1
            return RgbImage(width: image.width, height: image.height, rgb: rgb)!
        }
        assertRefused(result, "preprocessing gives other pixels")
        result = SelfTest.run(bundle, assets, FakeClassifier()) { _ throws(UnreadableImage) in
            throw UnreadableImage("no memory")
        }
        assertRefused(result, "exact.png: cannot be decoded: no memory")
        _ = try result.json.write()
    }

    func testJsonHasTheFieldsOfTheAndroidApp() throws {
        let json = try run(MapAssets.fake()).json
        XCTAssertEqual(
            json.keys, ["schema", "status", "reason", "runtime", "artefact", "images", "photos"])
        XCTAssertEqual(try json["runtime"]!.write(), "{\"name\": \"fake\", \"version\": \"1\"}")
        XCTAssertEqual(json["artefact"]!.keys, ["file", "sha256", "format", "precision"])
        XCTAssertEqual(
            json["images"]![0]!.keys,
            ["file", "differing_bytes", "logits", "max_relative", "passed"])
        XCTAssertEqual(try Json.parse(json.write()), json)
    }
}
