import XCTest

@testable import HierAttnCore

/// Pictures small enough to see what is right; the vectors of Python hold the large ones.
final class PicturesTests: XCTestCase {
    /// Each pixel's three bytes are its number.
    private func image(_ width: Int, _ height: Int, _ numbers: [UInt8]) -> RgbImage {
        RgbImage(width: width, height: height, rgb: numbers.flatMap { [$0, $0, $0] })!
    }

    func testAllEightOrientations() {
        let upright: [[UInt8]] = [
            [1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5], [6, 5, 4, 3, 2, 1], [5, 6, 3, 4, 1, 2],
            [1, 3, 5, 2, 4, 6], [5, 3, 1, 6, 4, 2], [6, 4, 2, 5, 3, 1], [2, 4, 6, 1, 3, 5],
        ]
        for value in 1...8 {
            let found = Orientation(value)!.apply(to: image(2, 3, [1, 2, 3, 4, 5, 6]))
            XCTAssertEqual(found.width, value < 5 ? 2 : 3)
            XCTAssertEqual(found, image(found.width, found.height, upright[value - 1]), "\(value)")
        }
        for wrong in [-1, 0, 9] { XCTAssertNil(Orientation(wrong)) }
    }

    func testTheRightSizePassesUntouched() {
        let picture = image(2, 2, [9, 8, 7, 6])
        XCTAssertEqual(PillowResize.resize(picture, 2, 2), picture)
    }

    func testOnePixelFillsAll() {
        let found = Preprocessor(PreprocessSpec(imageSize: 3)).pixels(
            of: image(1, 1, [77]), Orientation(6)!)
        XCTAssertEqual(found, [UInt8](repeating: 77, count: 27))
    }

    func testColumnsFirstAsInPillow13() {
        XCTAssertTrue(PillowResize.columnsFirst(300, 345, 256, 256))
        XCTAssertFalse(PillowResize.columnsFirst(300, 344, 256, 256))
        XCTAssertFalse(PillowResize.columnsFirst(200, 256, 256, 256))
        XCTAssertFalse(PillowResize.columnsFirst(3000, 4000, 256, 256))
    }

    func testRowsMustComeOnceAndWhole() throws {
        var resize = try StreamingResize(2, 3, .upright, side: 2)
        try resize.add(row: 2, [UInt8](repeating: 0, count: 6))
        for (row, bytes) in [(2, 6), (3, 6), (-1, 6), (0, 5)] {
            let said = words { try resize.add(row: row, [UInt8](repeating: 0, count: bytes)) }
            assertSays(said, "must come once")
        }
        assertSays(words { try resize.finish() }, "1 of 3 rows")
        try resize.add(row: 0, [UInt8](repeating: 0, count: 6))
        try resize.add(row: 1, [UInt8](repeating: 0, count: 600))
        XCTAssertEqual(try resize.finish().count, 12)
        assertSays(words { try resize.finish() }, "before")
        for (width, height, side) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (Int.max, 1, 1)] {
            let said = words { try StreamingResize(width, height, .upright, side: side) }
            assertSays(said, "at least 1")
        }
    }

    /// 48 megapixels would take 144 MB as bytes.
    func testFortyEightMegapixelsRowByRow() throws {
        for value in [1, 6] {
            var resize = try StreamingResize(8000, 6000, Orientation(value)!, side: 256)
            for y in 0..<6000 {
                let level = value == 1 ? UInt8(y / 24) : 100
                try resize.add(row: y, [UInt8](repeating: level, count: 24000))
            }
            let middle = Int(try resize.finish()[(128 * 256 + 128) * 3])
            XCTAssertLessThanOrEqual(abs(middle - (value == 1 ? 125 : 100)), 1)
        }
    }

    func testAlphaLiesOverWhite() {
        let rgba: [UInt8] = [1, 2, 3, 255, 255, 255, 255, 0, 0, 0, 0, 128, 10, 11, 12, 254]
        XCTAssertEqual(
            Alpha.rowOverWhite(rgba, 4), [1, 2, 3, 255, 255, 255, 127, 127, 127, 11, 12, 13])
    }

    func testSidesMustFitTheBytes() {
        for (width, height, bytes) in [
            (0, 1, 0), (1, 0, 0), (2, 2, 11), (-1, -1, 3), (Int.max, Int.max, 0),
        ] {
            let rgb = [UInt8](repeating: 0, count: bytes)
            XCTAssertNil(RgbImage(width: width, height: height, rgb: rgb))
        }
    }
}
