import Foundation
import XCTest

@testable import HierAttnCore

/// Swift's preprocessing against Python's: real photos and generated pictures, not one byte off.
final class PreprocessVectorsTests: XCTestCase {
    private var differences: [String] = []
    private var photos = 0
    private var generated = 0
    private var tensors = 0
    private var bytes = 0
    private var differing = 0

    func testEveryByteIsPythons() throws {
        let vectors = try Vectors("preprocess.bin")
        while let picture = try vectors.nextPicture() { try check(picture) }
        print(
            "preprocessing: \(photos) real photos, \(generated) generated pictures, "
                + "\(tensors) tensors, \(bytes) bytes compared, \(differing) differ")
        XCTAssertEqual(differing, 0, "\(differences)")
        XCTAssertGreaterThan(generated, 100)
        let promised = ProcessInfo.processInfo.environment["HIERATTN_PROMISED_PHOTOS"] ?? "0"
        XCTAssertGreaterThanOrEqual(photos, Int(promised)!, "real photos, fewer than promised")
    }

    private func check(_ picture: Vectors.Picture) throws {
        if picture.name.hasPrefix("photo ") { photos += 1 } else { generated += 1 }
        let orientation = ExifReader.orientation(of: picture.file)
        if orientation.value != picture.orientation {
            note(picture, "orientation \(orientation.value)", 1)
        }
        if picture.isPng {
            let decoded = try PngDecoder.decode(picture.file)
            compare(picture, "decoded", decoded.rgb, picture.stored.rgb)
        }
        for (side, wanted) in picture.tensors {
            let preprocessor = Preprocessor(PreprocessSpec(imageSize: side))
            tensors += 1
            let whole = preprocessor.pixels(of: picture.stored, orientation)
            compare(picture, "whole", whole, wanted)
            compare(picture, "streamed", try streamed(preprocessor, picture, orientation), wanted)
            if picture.stored.rgb.count < 1 << 20 {
                var order = Array(0..<picture.stored.height)
                var random = Seeded(UInt64(order.count))
                order.shuffle(using: &random)
                let found = try streamed(preprocessor, picture, orientation, order)
                compare(picture, "shuffled", found, wanted)
            }
            if picture.isPng {
                compare(picture, "from PNG", try preprocessor.pixels(ofPng: picture.file), wanted)
            }
        }
    }

    private func streamed(
        _ preprocessor: Preprocessor, _ picture: Vectors.Picture, _ orientation: Orientation,
        _ order: [Int]? = nil
    ) throws -> [UInt8] {
        let stored = picture.stored
        var resize = try preprocessor.stream(stored.width, stored.height, orientation)
        let rowBytes = stored.width * 3
        for y in order ?? Array(0..<stored.height) {
            try resize.add(row: y, Array(stored.rgb[y * rowBytes..<(y + 1) * rowBytes]))
        }
        return try resize.finish()
    }

    private func compare(
        _ picture: Vectors.Picture, _ how: String, _ found: [UInt8], _ wanted: [UInt8]
    ) {
        bytes += wanted.count
        note(picture, how, Vectors.differing(found, wanted))
    }

    private func note(_ picture: Vectors.Picture, _ how: String, _ count: Int) {
        differing += count
        if count > 0, differences.count < 10 {
            differences.append("\(picture.name), \(how): \(count) bytes")
        }
    }
}
