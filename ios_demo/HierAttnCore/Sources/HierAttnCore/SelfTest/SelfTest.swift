/// Shows that this device, with this runtime and this code, answers as the lab did.
///
/// Every file of the bundle must have its sha256; every golden picture must become its stored
/// tensor, byte for byte; and the model must answer it with the stored logits, each within
/// max_relative times the picture's scale. Where the bundle has golden photos, every way in which
/// the app decodes photos must make pixels of them that are near enough to the lab's.
public enum SelfTest {
    /// Run it; nothing is thrown for what goes wrong, the result says it.
    ///
    /// - Parameters:
    ///   - bundle: what the assets should hold.
    ///   - assets: the bundle's files.
    ///   - classifier: made from the bundle's model.
    ///   - photoDecoders: all ways in which the app decodes JPEG photos; without one, the result
    ///     says nothing of photos.
    ///   - decodePng: the one that the app uses.
    public static func run(
        _ bundle: ModelBundle, _ assets: some AssetReader, _ classifier: some Classifier,
        photoDecoders: [any PhotoDecoder] = [], decodePng: DecodePng = PngDecoder.decode
    ) -> SelfTestResult {
        var images: [SelfTestResult.Image] = []
        var photos: [PhotoTest.Result] = []
        var status = SelfTestResult.Status.passed
        var reason: String?
        do {
            try bundle.checkFiles(assets)
            for image in bundle.images {
                images.append(try runOne(bundle, image, assets, classifier, decodePng))
            }
            photos = try PhotoTest.run(bundle, assets, photoDecoders)
            let failures =
                images.map { ($0.file, $0.reason) } + photos.map { ($0.file, $0.reason) }
            if let (file, words) = failures.first(where: { $0.1 != nil }) {
                (status, reason) = (.failed, "\(file): \(words!)")
            }
        } catch let error as BundleError {
            (status, reason) = (.failed, error.description)
        } catch {
            (status, reason) = (.error, "the runtime failed: \(error)")
        }
        return SelfTestResult(
            status: status, reason: reason, images: images, photos: photos,
            runtime: (classifier.runtimeName, classifier.runtimeVersion),
            artefact: (bundle.artefact, bundle.sha256, bundle.precision))
    }

    private static func runOne(
        _ bundle: ModelBundle, _ image: GoldenImage, _ assets: some AssetReader,
        _ classifier: some Classifier, _ decodePng: DecodePng
    ) throws -> SelfTestResult.Image {
        let png = try bundle.read(assets, "\(ModelBundle.selfTest)/\(image.file)")
        let wanted = try bundle.read(assets, "\(ModelBundle.selfTest)/\(image.tensor)")
        let pixels: [UInt8]
        do {
            let stored = try decodePng(png)
            pixels = Preprocessor(bundle.preprocessing).pixels(
                of: stored, ExifReader.orientation(of: png))
        } catch {
            return SelfTestResult.Image(
                file: image.file, differingBytes: wanted.count, logits: [], maxRelative: .nan,
                reason: "cannot be decoded: \(error)")
        }
        let differing =
            abs(pixels.count - wanted.count) + zip(pixels, wanted).count { $0 != $1 }
        let logits = try classifier.logits(pixels)
        let relative = maxRelative(logits, image)
        return SelfTestResult.Image(
            file: image.file, differingBytes: differing, logits: logits, maxRelative: relative,
            reason: reason(bundle, image, differing, wanted.count, logits, relative))
    }

    private static func reason(
        _ bundle: ModelBundle, _ image: GoldenImage, _ differing: Int, _ bytes: Int,
        _ logits: [Float], _ relative: Double
    ) -> String? {
        if differing > 0 {
            return "preprocessing gives other pixels in \(differing) of \(bytes) bytes "
                + "(\(image.what))"
        }
        if logits.count != image.logits.count {
            return "the model gives \(logits.count) logits for \(image.logits.count) classes"
        }
        if !relative.isFinite { return "the model answers with what is no number" }
        if relative > bundle.maxRelative {
            return "a logit lies \(relative) off, at most \(bundle.maxRelative) is allowed"
        }
        return nil
    }

    /// The largest difference as a share of the scale; NaN where a logit is NaN or missing.
    private static func maxRelative(_ logits: [Float], _ image: GoldenImage) -> Double {
        guard logits.count == image.logits.count else { return .nan }
        let shares = zip(logits, image.logits).map { abs(Double($0) - $1) / image.scale }
        return shares.contains { $0.isNaN } ? .nan : shares.max() ?? .nan
    }
}
