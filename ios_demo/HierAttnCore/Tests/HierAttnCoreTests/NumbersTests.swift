import XCTest

@testable import HierAttnCore

/// Probabilities, decisions, percentiles and floats against numpy's and scipy's.
final class NumbersTests: XCTestCase {
    private func point(
        _ temperature: Double = 1, sure: Double = 0, targets: [Int] = [], melanoma: Double? = nil
    ) -> OperatingPoint {
        OperatingPoint(
            temperature: temperature, abstainThreshold: sure, targets: targets,
            melanomaThreshold: melanoma, fittedOn: "")
    }

    func testDecisionsArePythons() throws {
        let cases = try Vectors.numbers()["decisions"]!.list
        XCTAssertEqual(cases.count, 300)
        for one in cases {
            let logits = one["logits"]!.numbers.map { Float($0) }
            let names = logits.indices.map { "class \($0)" }
            let found = try Decision(
                logits: logits, classes: names,
                point: point(
                    one["temperature"]!.number, sure: one["abstain_threshold"]!.number,
                    targets: [0], melanoma: one["melanoma_threshold"]!.number))
            for (mine, wanted) in zip(found.probabilities, one["probabilities"]!.numbers) {
                // exp may differ in its last bit between libraries.
                XCTAssertEqual(mine, wanted, accuracy: 4e-15 * wanted)
            }
            XCTAssertEqual(found.probabilities.count, logits.count)
            XCTAssertEqual(
                found.top.map { Double($0.place) }, Array(one["order"]!.numbers.prefix(3)))
            XCTAssertEqual(found.top.map(\.label), found.top.map { "class \($0.place)" })
            XCTAssertEqual(one["sure"], .bool(found.sure))
            XCTAssertEqual(one["melanoma"], found.melanomaFlag.map(Json.bool))
            XCTAssertEqual(found.json.keys, ["top", "sure", "melanoma_flag"])
            _ = try found.json.write()
        }
    }

    func testThresholdsCountFromThemselves() throws {
        // Two equal logits: each class has exactly one half.
        let names = ["a", "MEL"]
        let half = point(sure: 0.5, targets: [1], melanoma: 0.5)
        let at = try Decision(logits: [2, 2], classes: names, point: half)
        XCTAssertTrue(at.sure)
        XCTAssertEqual(at.melanomaFlag, true)
        let more = point(sure: 0.5.nextUp, targets: [1], melanoma: 0.5.nextUp)
        let below = try Decision(logits: [2, 2], classes: names, point: more)
        XCTAssertFalse(below.sure)
        XCTAssertEqual(below.melanomaFlag, false)
        XCTAssertNil(try Decision(logits: [2, 2], classes: names, point: point()).melanomaFlag)
    }

    func testTargetsAreAddedUp() throws {
        // Three equal logits: two targets have two thirds, though neither reaches one half.
        let found = try Decision(
            logits: [0, 0, 0], classes: ["a", "in situ", "invasive"],
            point: point(targets: [1, 2], melanoma: 0.6))
        XCTAssertEqual(found.melanomaFlag, true)
        XCTAssertEqual(found.melanomaProbability, 2.0 / 3, accuracy: 1e-15)
    }

    func testEqualsComeInOrder() {
        XCTAssertEqual(Probabilities.top([1, 2, 0, 2], 3), [1, 3, 0])
        XCTAssertEqual(Probabilities.top([5, 5], 3), [0, 1])
        XCTAssertEqual(Probabilities.top([5, 5], 0), [])
        XCTAssertEqual(Probabilities.top([], 3), [])
    }

    func testLargeLogitsDoNotOverflow() throws {
        let found = try Probabilities.softmax([3e38, -3e38, 3e38], temperature: 0.2)
        XCTAssertEqual(found, [0.5, 0, 0.5])
    }

    func testNoNumberIsNoAnswer() {
        let names = ["a", "b", "c", "d"]
        for wrong: [Float] in [
            [0, .nan, 0, 0], [0, .infinity, 0, 0], [0, -.infinity, 0, 0], [0, 0, 0], [],
        ] {
            assertSays(
                words { try Decision(logits: wrong, classes: names, point: point()) }, "logit")
        }
        for temperature in [0, -1, Double.nan, .infinity] {
            assertSays(
                words { try Probabilities.softmax([1], temperature: temperature) }, "temperature")
        }
    }

    func testPercentilesAreNumpys() throws {
        for one in try Vectors.numbers()["percentiles"]!.list {
            let found = LatencySummary(one["values"]!.numbers)!
            XCTAssertEqual(found.p50, one["p50"]!.number)
            XCTAssertEqual(found.p90, one["p90"]!.number)
            XCTAssertEqual(found.p99, one["p99"]!.number)
            // numpy adds in pairs.
            XCTAssertEqual(found.mean, one["mean"]!.number, accuracy: 1e-13 * found.mean)
            XCTAssertEqual(found.json.keys, ["runs", "p50_ms", "p90_ms", "p99_ms", "mean_ms"])
        }
    }

    func testNoTimesAreRefused() {
        for wrong in [[], [1, Double.nan], [-1], [.infinity]] {
            XCTAssertNil(LatencySummary(wrong))
        }
    }

    func testFloatsArePythonsToTheBit() throws {
        let input = try Vectors.numbers()["input"]!
        let pixels = input["pixels"]!.numbers.map { UInt8($0) }
        let preprocessor = Preprocessor(PreprocessSpec(imageSize: 16))
        XCTAssertEqual(pixels.count, 768)
        XCTAssertEqual(
            try preprocessor.input(of: pixels), input["nchw"]!.numbers.map { Float($0) })
        assertSays(words { try preprocessor.input(of: [0, 0, 0]) }, "768 are needed")
    }
}
