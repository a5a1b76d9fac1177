import XCTest

@testable import HierAttnCore

final class ExifReaderTests: XCTestCase {
    /// The file is one that Python refuses to read.
    private static let refused = 0

    func testAgreesWithPython() throws {
        let vectors = try Vectors("exif.bin")
        var wrong: [String] = []
        var (compared, refused) = (0, 0)
        while let name = try vectors.nextBytes() {
            let expected = try vectors.nextNumber()
            let file = try vectors.nextBytes()!
            let found = ExifReader.orientation(of: file).value
            if expected == ExifReaderTests.refused {
                refused += 1
                continue
            }
            compared += 1
            if JpegLayout.isJpeg(file) { try JpegLayout.check(file) }
            if found != expected {
                let words = String(decoding: name, as: UTF8.self)
                wrong.append("\(words): \(found), Python turns by \(expected)")
            }
        }
        print(
            "EXIF: \(compared) files agree with Python but for \(wrong.count); \(refused) more, "
                + "which Python refuses, do no harm")
        XCTAssertEqual(wrong, [])
        XCTAssertGreaterThan(compared, 50)
    }

    func testNothingIsUpright() {
        XCTAssertEqual(ExifReader.orientation(of: []), .upright)
        XCTAssertEqual(ExifReader.orientation(of: Array("GIF89a".utf8)), .upright)
        XCTAssertEqual(ExifReader.orientation(ofExif: [0, 0, 0]), .upright)
    }

    /// Changed and cut files of HEIC: any answer will do, as long as there is one.
    func testDamagedBoxesBreakNothing() throws {
        let whole = try Vectors.bytes("turned.heic")
        XCTAssertEqual(ExifReader.orientation(of: whole).value, 6)
        var random = Seeded(2)
        for _ in 0..<20000 {
            var file = Array(whole.prefix(Int.random(in: 1...whole.count, using: &random)))
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                file[Int.random(in: 0..<file.count, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            _ = ExifReader.orientation(of: file)
        }
    }

    func testNoBytesBreakIt() {
        let heads: [[UInt8]] = [
            [0xff, 0xd8, 0xff, 0xe1, 0, 40] + Array("Exif\0\0".utf8),
            PngHeader.signature + [0, 0, 0, 20] + Array("zTXt".utf8),
            [0, 0, 0, 12] + Array("ftypavif".utf8) + [0, 0, 0, 60] + Array("meta".utf8),
            Array("RIFF\0\0\0\0WEBPEXIF".utf8),
        ]
        var random = Seeded(1)
        for run in 0..<20000 {
            let count = Int.random(in: 0..<60, using: &random)
            let rest = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = ExifReader.orientation(of: heads[run % heads.count] + rest)
        }
    }

    func testWhatADecoderWouldLetPass() {
        let start: [UInt8] = [0xff, 0xd8, 0xff, 0xc0, 0, 20, 8, 0, 1, 0, 1]
        let four = start + [4] + [UInt8](repeating: 0, count: 12) + [0xff, 0xd9]
        assertSays(words { try JpegLayout.check(four) }, "4 colour components")
        let three = start + [3] + [UInt8](repeating: 0, count: 12)
        assertSays(words { try JpegLayout.check(three) }, "cut off")
        XCTAssertNoThrow(try JpegLayout.check(three + [0xff, 0xff, 0xd9]))
        assertSays(words { try JpegLayout.check([0xff, 0xd8, 0xff, 0xe0, 0, 1, 0]) }, "length")
        assertSays(words { try JpegLayout.check([0xff, 0xd8]) }, "not a JPEG")
    }
}
