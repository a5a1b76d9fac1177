import Foundation
import XCTest

@testable import HierAttnCore

/// A bundle of a real export, and what the lab's evaluator of the saved Core ML package answers to
/// its golden images: `make test-ios EXPORT=folder`. Apple's runtime has no part in it.
final class RealBundleTests: XCTestCase {
    /// Gives the evaluator's answer to a picture that it was asked.
    private struct Evaluator: Classifier {
        let runtimeName = "evaluator"
        let runtimeVersion = "of the saved package"
        /// By sha256 of the pixels.
        let answers: [String: [Float]]

        func logits(_ rgb: [UInt8]) throws -> [Float] {
            guard let answer = answers[Sha256.of(rgb)] else { throw Broken("other pixels") }
            return answer
        }
    }

    private func load() throws -> (MapAssets, ModelBundle, Evaluator) {
        let folder = try Vectors.folder().appendingPathComponent("real_bundle")
        guard FileManager.default.fileExists(atPath: folder.path) else {
            throw XCTSkip("no real bundle: run 'make test-ios EXPORT=folder'")
        }
        let assets = try MapAssets(folder: folder)
        let bundle = try assets.bundle()
        let answers = try Json.parse(Vectors.bytes("answers.json"))
        let pairs = bundle.images.map { image in
            (image.tensorSha256, answers[image.file]!.numbers.map { Float($0) })
        }
        return (assets, bundle, Evaluator(answers: Dictionary(uniqueKeysWithValues: pairs)))
    }

    func testEvaluatorPassesTheSelfTest() throws {
        let (assets, bundle, evaluator) = try load()
        let result = SelfTest.run(bundle, assets, evaluator)
        XCTAssertTrue(result.passed, result.reason ?? "")
        print(
            "answers of the evaluator: \(bundle.artefact), \(result.images.count) golden images, "
                + "0 bytes differ, largest difference \(result.maxRelative) of "
                + "\(bundle.maxRelative) allowed")
    }

    func testATamperedExpectationIsRefused() throws {
        let (assets, bundle, evaluator) = try load()
        let image = bundle.images[1]
        let moved = image.logits[0] + image.scale * bundle.maxRelative * 3
        let tampered = try assets.replacing(
            Json.number(image.logits[0]).write(), Json.number(moved).write())
        let result = SelfTest.run(try tampered.bundle(), tampered, evaluator)
        XCTAssertEqual(result.status, .failed)
        assertSays(result.reason, "\(image.file): a logit lies ")
    }
}
