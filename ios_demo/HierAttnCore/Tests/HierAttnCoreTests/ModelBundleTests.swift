import XCTest

@testable import HierAttnCore

final class ModelBundleTests: XCTestCase {
    private let weights = "fake.mlpackage/Data/com.apple.CoreML/weights/weight.bin"

    private func assertRefused(
        _ assets: MapAssets, _ said: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        let found = words({ try assets.bundle() }, file: file, line: line)
        assertSays(found, said, file: file, line: line)
    }

    func testReadsWhatPythonWrites() throws {
        let assets = try MapAssets.fake()
        let bundle = try assets.bundle()
        try bundle.checkFiles(assets)
        XCTAssertEqual(bundle.classes, ["ACK", "MEL", "N\u{e4}vus"])
        XCTAssertEqual(bundle.preprocessing.imageSize, 64)
        XCTAssertEqual(bundle.operatingPoint.targets, [1])
        XCTAssertEqual(bundle.operatingPoint.melanomaThreshold, 0.25)
        XCTAssertEqual(bundle.maxRelative, 1e-5)
        XCTAssertEqual(bundle.images.count, 10)
        XCTAssertEqual(bundle.photos?.images.count, 4)
        XCTAssertTrue(bundle.verified)
        XCTAssertEqual(bundle.identity, Sha256.of(assets.files["bundle.json"]!))
        XCTAssertEqual(bundle.artefact, "fake.mlpackage")
    }

    func testRefusesWhatDoesNotFit() throws {
        let assets = try MapAssets.fake()
        for (before, after, said) in [
            ("\"schema\": 1", "\"schema\": 2", "'schema'"),
            ("\"schema\": 1,", "", "'schema': it is missing"),
            ("\"schema\": 1,", "\"schema\": 1, \"schema\": 1,", "stands there twice"),
            ("\"schema\": 1,", "\"schema\": 1, \"newer\": 1,", "'newer': it is not known here"),
            ("\"name\": \"logits\"", "\"name\": \"logits\", \"kind\": 1", "'kind'"),
            ("\"reasons\": []", "\"reasons\": [], \"by\": 1", "'by': it is not known"),
            ("\"scale\":", "\"scales\":", "'scale': it is missing"),
            ("\"fitted_on\":", "\"fitted\": 1, \"fitted_on\":", "'fitted': it is not known"),
            ("\"format\": \"coreml\"", "\"format\": \"onnx\"", "one of coreml is needed"),
            ("\"fallback\": null", "\"fallback\": {}", "'fallback': null is all"),
            ("\"layout\": \"NCHW\"", "\"layout\": \"NHWC\"", "'layout'"),
            ("\"resize\": \"pillow_bilinear_antialias\"", "\"resize\": \"nearest\"", "'resize'"),
            ("\"divisor\": 255", "\"divisor\": 127", "'divisor'"),
            ("\"divisor\": 255", "\"divisor\": 255, \"mean\": 0", "not known here"),
            ("\"temperature\": 1.5", "\"temperature\": 0", "'temperature'"),
            ("\"temperature\": 1.5", "\"temperature\": \"1.5\"", "a number is needed"),
            ("\"abstain_threshold\": 0.4", "\"abstain_threshold\": 1.4", "'abstain_threshold'"),
            ("\"melanoma_class\": \"MEL\"", "\"melanoma_class\": \"MELA\"", "none of the classes"),
            ("\"melanoma_class\": \"MEL\"", "\"melanoma_class\": null", "needs a melanoma_class"),
            ("\"verified\": true", "\"verified\": false", "'verified'"),
            ("\"status\": \"passed\"", "\"status\": \"failed\"", "'verified'"),
            ("\"max_relative\": 1e-05", "\"max_relative\": 0", "'max_relative'"),
            ("\"max_relative\": 1e-05", "\"max_relative\": NaN", "JSON, byte"),
            ("\"max_relative\": 1e-05", "\"max_relative\": 1e999", "too large"),
            ("\"max_difference\": 8", "\"max_difference\": 256", "max_difference"),
            ("\"max_mean_difference\": 0.2", "\"max_mean_difference\": -1", "max_mean_difference"),
            ("\"file\": \"photo_444.jpg\"", "\"file\": \"photo_445.jpg\"", "photo_445.jpg"),
            ("\"ACK\"", "\"MEL\"", "none of them twice"),
            ("\"artefact\": \"fake.mlpackage\"", "\"artefact\": \"a.mlpackage\"", "a.mlpackage is"),
            ("\"\(weights)\": \"", "\"../\(weights)\": \"", "is no name of a file"),
            ("\"\(weights)\": \"", "\"/\(weights)\": \"", "is no name of a file"),
            ("\"\(weights)\": \"", "\"a//\(weights)\": \"", "is no name of a file"),
            ("\"\(weights)\": \"", "\"a\u{e4}\": \"", "is no name of a file"),
            ("\"\(weights)\": \"", "\"fake.mlpackage/x\": \"", "say otherwise"),
            ("\"selftest/odd.png\": \"", "\"selftest/x.png\": \"", "selftest/odd.png is missing"),
            ("\"labels.txt\": \"", "\"labels2.txt\": \"", "labels.txt is missing"),
            ("\"image_size\": 64,\n  \"in", "\"image_size\": 65,\n  \"in", "'image_size'"),
        ] {
            assertRefused(try assets.replacing(before, after), said)
        }
    }

    func testABundleOfBeforeHasNoFallback() throws {
        let assets = try MapAssets.fake().replacing("\"fallback\": null,", "")
        XCTAssertNoThrow(try assets.bundle())
    }

    func testRefusesDamagedText() throws {
        var assets = try MapAssets.fake()
        let whole = assets.files[ModelBundle.file]!
        for length in stride(from: 0, to: whole.count - 2, by: 101) {
            assets.files[ModelBundle.file] = Array(whole.prefix(length))
            assertRefused(assets, "bundle.json")
        }
        assets.files[ModelBundle.file] = nil
        assertRefused(assets, "bundle.json: cannot be read")
    }

    func testLabelsMustBeTheClasses() throws {
        let assets = try MapAssets.fake().flippingBitAndHash("labels.txt", 0)
        let bundle = try assets.bundle()
        assertSays(words { try bundle.checkFiles(assets) }, "labels.txt: not the classes")
    }

    func testTheModelHasItsStatedSize() throws {
        let assets = try MapAssets.fake()
        let bytes = try assets.bundle().bytes
        let changed = try assets.replacing("\"bytes\": \(bytes)", "\"bytes\": \(bytes + 1)")
        let bundle = try changed.bundle()
        assertSays(words { try bundle.checkFiles(changed) }, "'bytes': the model has \(bytes)")
    }

    func testSeveralTargetsStandInTheirOwnField() throws {
        let one = "\"melanoma_class\": \"MEL\""
        let none = "\"melanoma_class\": null, \"target_classes\": "
        let assets = try MapAssets.fake()
        let several = try assets.replacing(one, none + "[\"MEL\", \"ACK\"]").bundle()
        XCTAssertEqual(several.operatingPoint.targets, [1, 0])
        for (fields, said) in [
            (none + "[\"MEL\", \"MELA\"]", "none of the classes"),
            (none + "[\"MEL\", \"MEL\"]", "different names"),
            (one + ", \"target_classes\": [\"ACK\"]", "name another"),
        ] {
            assertRefused(try assets.replacing(one, fields), said)
        }
    }

    func testNullThresholdMeansNone() throws {
        let point = try MapAssets.fake()
            .replacing("\"melanoma_threshold\": 0.25", "\"melanoma_threshold\": null")
            .bundle().operatingPoint
        XCTAssertNil(point.melanomaThreshold)
        let found = try Decision(logits: [0, 0, 0], classes: ["a", "b", "c"], point: point)
        XCTAssertNil(found.melanomaFlag)
    }

    func testWhatPythonCallsNotFittedIsNotFitted() throws {
        let assets = try MapAssets.fake()
        XCTAssertFalse(try assets.bundle().operatingPoint.isFitted)
        let fitted = try assets.replacing("\"not fitted\"", "\"on 30 photos\"")
        XCTAssertTrue(try fitted.bundle().operatingPoint.isFitted)
    }
}
