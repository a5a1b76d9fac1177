import XCTest

@testable import HierAttnCore

/// Damaged files; Python's pixels are compared in ``PreprocessVectorsTests``.
final class PngDecoderTests: XCTestCase {
    func testEveryCutIsRefused() throws {
        let png = try Vectors.bytes("coreml_bundle/selftest/thin.png")
        let end = png.count - 12
        for length in 0..<(end - 4) {
            do {
                _ = try PngDecoder.decode(Array(png.prefix(length)))
                // Of the compressed pixels only the checksum may be lacking.
                XCTAssertGreaterThanOrEqual(length, end - 12, "cut at \(length)")
            } catch {
                XCTAssertFalse(error.description.contains("\n"))
            }
        }
    }

    func testDamageIsRefusedOrHarmless() throws {
        let png = try Vectors.bytes("coreml_bundle/selftest/small_tall.png")
        var random = Seeded(9)
        var refused = 0
        for run in 0..<3000 {
            var damaged = png
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let end = run % 2 == 0 ? 80 : png.count
                damaged[Int.random(in: 0..<end, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            do { _ = try PngDecoder.decode(damaged) } catch { refused += 1 }
        }
        XCTAssertGreaterThan(refused, 2000)
    }

    /// Memory for the pixels must not be asked for before the file can hold them.
    func testABombIsRefusedBeforeItTakesMemory() {
        let preprocessor = Preprocessor(PreprocessSpec(imageSize: 256))
        for (width, height) in [(178_956_970, 1), (60000, 2900), (1, 178_956_970), (13377, 13377)] {
            for interlaced: UInt8 in [0, 1] {
                let said = words {
                    try preprocessor.pixels(ofPng: bomb(width, height, interlaced))
                }
                XCTAssert(said.contains("cannot hold") || said.contains("in a row"), said)
            }
        }
    }

    private func bomb(_ width: Int, _ height: Int, _ interlaced: UInt8) -> [UInt8] {
        let chunk =
            Array("IHDR".utf8) + bigEndian(UInt32(width)) + bigEndian(UInt32(height))
            + [8, 2, 0, 0, interlaced]
        let sum = Crc32.of(chunk[...])
        return PngHeader.signature + bigEndian(13) + chunk + bigEndian(sum) + bigEndian(23)
            + Array("IDAT".utf8) + [UInt8](repeating: 0, count: 35)
    }

    private func bigEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
    }

    func testOthersAreNoPng() {
        for file: [UInt8] in [[], [UInt8](repeating: 0, count: 100), [0xff, 0xd8, 0xff]] {
            XCTAssertEqual(words { try PngDecoder.decode(file) }, "not a PNG")
        }
    }
}
