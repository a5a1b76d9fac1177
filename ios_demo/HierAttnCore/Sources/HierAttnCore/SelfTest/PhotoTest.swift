/// Holds the pixels that a platform's decoder makes of the golden photos against Python's.
public enum PhotoTest {
    /// One photo, decoded in one way.
    public struct Result: Sendable, Equatable {
        /// Name of the JPEG.
        public let file: String
        /// ``PhotoDecoder/name``.
        public let decoder: String
        /// Largest difference of a byte, in levels of 255; nil where it could not be decoded.
        public let maxDifference: Int?
        /// Of all bytes; nil where it could not be decoded.
        public let meanDifference: Double?
        /// Why it failed; nil where it passed.
        public let reason: String?

        /// Whether the pixels are near enough.
        public var passed: Bool { reason == nil }

        var json: Json {
            .object([
                .init("file", .text(file)), .init("decoder", .text(decoder)),
                .init("max_difference", maxDifference.map { .whole(Int64($0)) } ?? .null),
                .init("mean_difference", meanDifference.map(Json.number) ?? .null),
                .init("passed", .bool(passed)),
            ])
        }
    }

    static func run(
        _ bundle: ModelBundle, _ assets: some AssetReader, _ decoders: [any PhotoDecoder]
    ) throws(BundleError) -> [Result] {
        var results: [Result] = []
        guard let photos = bundle.photos else { return results }
        for photo in photos.images {
            let jpeg = try bundle.read(assets, "\(ModelBundle.selfTest)/\(photo.file)")
            let wanted = try bundle.read(assets, "\(ModelBundle.selfTest)/\(photo.tensor)")
            for decoder in decoders {
                results.append(runOne(photos, photo, jpeg, wanted, decoder))
            }
        }
        return results
    }

    private static func runOne(
        _ allowed: GoldenPhotos, _ photo: GoldenPhoto, _ jpeg: [UInt8], _ wanted: [UInt8],
        _ decoder: any PhotoDecoder
    ) -> Result {
        let found: [UInt8]
        do {
            found = try decoder.pixels(of: jpeg)
        } catch {
            return broken(photo, decoder, error.description)
        }
        guard found.count == wanted.count else {
            return broken(photo, decoder, "\(found.count) bytes, not \(wanted.count)")
        }
        let differences = zip(found, wanted).map { abs(Int($0) - Int($1)) }
        let largest = differences.max() ?? 0
        let mean = Double(differences.reduce(0, +)) / Double(found.count)
        var reason: String?
        if largest > allowed.maxDifference || mean > allowed.maxMeanDifference {
            reason =
                "decoded \(decoder.name), this phone's pixels differ from the lab's by up to "
                + "\(largest) levels, on average \(decimals(mean)); allowed are "
                + "\(allowed.maxDifference) and \(decimals(allowed.maxMeanDifference)) "
                + "(\(photo.what))"
        }
        return Result(
            file: photo.file, decoder: decoder.name, maxDifference: largest, meanDifference: mean,
            reason: reason)
    }

    private static func broken(_ photo: GoldenPhoto, _ decoder: any PhotoDecoder, _ why: String)
        -> Result
    {
        Result(
            file: photo.file, decoder: decoder.name, maxDifference: nil, meanDifference: nil,
            reason: "cannot be decoded \(decoder.name): \(why)")
    }

    /// With two decimals; 0 or more.
    private static func decimals(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let digits = String(hundredths % 100)
        return "\(hundredths / 100).\(digits.count == 1 ? "0" : "")\(digits)"
    }
}
