import XCTest

@testable import HierAttnCore

/// Golden photos: the self-test fails for whoever decodes them too differently, and says so.
final class PhotoTestTests: XCTestCase {
    private static let photo = "photo_420.jpg"

    /// Answers with Python's own pixels, which a test may change.
    private struct Decoder: PhotoDecoder {
        let name = "whole"
        let assets: MapAssets
        let photos: [GoldenPhoto]
        let change: @Sendable (inout [UInt8]) throws(UnreadableImage) -> Void

        init(
            _ assets: MapAssets,
            _ change: @escaping @Sendable (inout [UInt8]) throws(UnreadableImage) -> Void = {
                _ in
            }
        ) throws {
            self.assets = assets
            self.change = change
            photos = try assets.bundle().photos!.images
        }

        func pixels(of file: [UInt8]) throws(UnreadableImage) -> [UInt8] {
            guard let photo = photos.first(where: { $0.sha256 == Sha256.of(file) }) else {
                throw UnreadableImage("another file")
            }
            var pixels = assets.files["selftest/\(photo.tensor)"]!
            if photo.file == PhotoTestTests.photo { try change(&pixels) }
            return pixels
        }
    }

    private func run(_ assets: MapAssets, _ decoders: Decoder...) throws -> SelfTestResult {
        SelfTest.run(try assets.bundle(), assets, FakeClassifier(), photoDecoders: decoders)
    }

    private func assertRefused(
        _ result: SelfTestResult, _ said: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertEqual(result.status, .failed, file: file, line: line)
        assertSays(result.reason, "\(PhotoTestTests.photo): ", file: file, line: line)
        assertSays(result.reason, said, file: file, line: line)
    }

    /// Move a byte, away from the nearer end of its range.
    private static func move(_ byte: inout UInt8, _ by: UInt8) {
        byte = byte < 128 ? byte + by : byte - by
    }

    func testSamePixelsPassInEveryWay() throws {
        let assets = try MapAssets.fake()
        let result = try run(assets, Decoder(assets), Decoder(assets))
        XCTAssertTrue(result.passed, result.reason ?? "")
        XCTAssertEqual(result.photos.count, 8)
        XCTAssertEqual(
            try result.json["photos"]![0]!.write(),
            "{\"file\": \"photo_444.jpg\", \"decoder\": \"whole\", \"max_difference\": 0, "
                + "\"mean_difference\": 0.0, \"passed\": true}")
    }

    func testWithoutDecodersNothingIsClaimedOfPhotos() throws {
        let result = try run(MapAssets.fake())
        XCTAssertTrue(result.passed)
        XCTAssertTrue(result.photos.isEmpty)
    }

    func testSmallDifferencesPass() throws {
        let assets = try MapAssets.fake()
        let most = try assets.bundle().photos!.maxDifference
        let result = try run(assets, Decoder(assets) { PhotoTestTests.move(&$0[0], UInt8(most)) })
        XCTAssertTrue(result.passed, result.reason ?? "")
        XCTAssertEqual(result.photos[1].maxDifference, most)
    }

    func testOneByteTooFarOffIsRefused() throws {
        let assets = try MapAssets.fake()
        let most = try assets.bundle().photos!.maxDifference + 1
        assertRefused(
            try run(assets, Decoder(assets) { PhotoTestTests.move(&$0[0], UInt8(most)) }),
            "decoded whole, this phone's pixels differ from the lab's by up to 9 levels")
    }

    func testManySmallDifferencesAreRefused() throws {
        let assets = try MapAssets.fake()
        let decoder = try Decoder(assets) { pixels throws(UnreadableImage) in
            for place in stride(from: 0, to: pixels.count, by: 4) {
                PhotoTestTests.move(&pixels[place], 1)
            }
        }
        assertRefused(try run(assets, decoder), "on average 0.25")
    }

    func testWhatCannotBeDecodedIsRefused() throws {
        let assets = try MapAssets.fake()
        let decoder = try Decoder(assets) { _ throws(UnreadableImage) in
            throw UnreadableImage("no memory")
        }
        let result = try run(assets, decoder)
        assertRefused(result, "cannot be decoded whole: no memory")
        assertSays(try result.json.write(), "\"max_difference\": null")
        let shorter = try Decoder(assets) { $0.removeLast() }
        assertRefused(try run(assets, shorter), "12287 bytes, not 12288")
    }

    func testABundleWithoutPhotosTestsNone() throws {
        let assets = try MapAssets.fake()
        let json = assets.json
        let from = json.range(of: ",\n    \"photos\": {")!.lowerBound
        let end = json.range(of: "\n  },\n  \"files\"")!.lowerBound
        let bare = try assets.replacing(String(json[from..<end]), "")
        XCTAssertNil(try bare.bundle().photos)
        let result = try run(bare, Decoder(assets))
        XCTAssertTrue(result.passed, result.reason ?? "")
        XCTAssertTrue(result.photos.isEmpty)
    }
}
