import XCTest

@testable import HierAttnCore

final class SelfTestGateTests: XCTestCase {
    private let phone = "app 7 on build x"
    private let picture = [UInt8](repeating: 0, count: 64 * 64 * 3)

    private func gate(_ assets: MapAssets, _ classifier: FakeClassifier = FakeClassifier()) throws
        -> SelfTestGate
    {
        SelfTestGate(try assets.bundle(), classifier)
    }

    private func assertShut(
        _ gate: SelfTestGate, _ classifier: FakeClassifier, _ said: String,
        file: StaticString = #filePath, line: UInt = #line
    ) async {
        let asked = classifier.asked
        assertSays(await gate.shutReason, said, file: file, line: line)
        let isOpen = await gate.isOpen
        XCTAssertFalse(isOpen, file: file, line: line)
        do {
            _ = try await gate.decide(picture)
            XCTFail("it answered", file: file, line: line)
        } catch {
            assertSays((error as? NotTested)?.description, said, file: file, line: line)
        }
        do {
            _ = try await gate.logits(picture)
            XCTFail("it answered", file: file, line: line)
        } catch {
            XCTAssertTrue(error is NotTested, file: file, line: line)
        }
        do {
            _ = try await gate.record(environment: phone)
            XCTFail("it gave a record", file: file, line: line)
        } catch {}
        XCTAssertEqual(asked, classifier.asked, "the model was asked", file: file, line: line)
    }

    func testSilentBeforeTheTestAndOpenBehindIt() async throws {
        let assets = try MapAssets.fake()
        let classifier = FakeClassifier()
        let gate = try gate(assets, classifier)
        await assertShut(gate, classifier, "has not been run")
        let result = await gate.test(assets)
        XCTAssertTrue(result.passed)
        let reason = await gate.shutReason
        XCTAssertNil(reason)
        let answer = try await gate.decide(picture)
        XCTAssertEqual(answer.top.count, 3)
    }

    func testTamperedExpectationShutsIt() async throws {
        let assets = try MapAssets.fake().flippingBitAndHash("selftest/alpha.rgb", 9)
        let classifier = FakeClassifier()
        let gate = try gate(assets, classifier)
        await gate.test(assets)
        await assertShut(gate, classifier, "the self-test failed: alpha.png: preprocessing")
    }

    func testALaterFailureShutsItAgain() async throws {
        let assets = try MapAssets.fake()
        let classifier = FakeClassifier { asked, logits in
            if asked > 15 { throw Broken("no memory") }
            return logits
        }
        let gate = try gate(assets, classifier)
        await gate.test(assets)
        await gate.test(assets.flippingBit("fake.mlpackage/Manifest.json", 1))
        await assertShut(gate, classifier, "fake.mlpackage/Manifest.json")
        await gate.test(assets)
        await assertShut(gate, classifier, "broke off: the runtime failed: no memory")
    }

    /// In memory; refuses what the test wants it to.
    private final class Store: RecordStore, @unchecked Sendable {
        var record: String? = "of an earlier self-test"
        var isStuck = false
        var isFull = false

        func delete() throws {
            if isStuck { throw Broken("read-only") }
            record = nil
        }

        func keep(_ newRecord: String) throws {
            if isFull { throw Broken("no space") }
            record = newRecord
        }
    }

    func testTheOldRecordIsGoneBeforeTheModelIsAsked() async throws {
        let assets = try MapAssets.fake()
        let store = Store()
        let gate = try gate(
            assets,
            FakeClassifier { _, logits in
                XCTAssertNil(store.record)
                return logits
            })
        let passed = try await gate.test(assets, environment: phone, store: store)
        XCTAssertTrue(passed.passed)
        let record = try await gate.record(environment: phone)
        XCTAssertEqual(record, store.record)
        let changed = assets.flippingBit("labels.txt", 1)
        let failed = try await gate.test(changed, environment: phone, store: store)
        XCTAssertFalse(failed.passed)
        XCTAssertNil(store.record)
    }

    func testARecordThatStaysShutsItWithoutATest() async throws {
        let assets = try MapAssets.fake()
        let classifier = FakeClassifier()
        let gate = try gate(assets, classifier)
        let store = Store()
        try await gate.test(assets, environment: phone, store: store)
        store.isStuck = true
        let asked = classifier.asked
        do {
            try await gate.test(assets, environment: phone, store: store)
            XCTFail("it was tested")
        } catch {
            assertSays("\(error)", "deleted: read-only")
        }
        XCTAssertEqual(asked, classifier.asked)
        await assertShut(gate, classifier, "cannot be deleted: read-only")
    }

    func testARecordThatIsNotKeptShutsNothing() async throws {
        let assets = try MapAssets.fake()
        let gate = try gate(assets)
        let store = Store()
        store.isFull = true
        try await gate.test(assets, environment: phone, store: store)
        let isOpen = await gate.isOpen
        XCTAssertTrue(isOpen)
        XCTAssertNil(store.record)
    }

    func testRecordOpensForTheSameAlone() async throws {
        let assets = try MapAssets.fake()
        let first = try gate(assets)
        await first.test(assets)
        let record = try await first.record(environment: phone)

        let classifier = FakeClassifier()
        let again = try gate(assets, classifier)
        let opened = await again.resume(assets, record: record, environment: phone)
        XCTAssertTrue(opened)
        XCTAssertEqual(classifier.asked, 0)
        _ = try await again.decide(picture)

        let other = try gate(assets)
        let newer = FakeClassifier()
        newer.runtimeVersion = "2"
        let updated = try gate(assets, newer)
        for (gate, record, environment) in [
            (other, record, "app 8 on build x"), (other, nil, phone), (other, "", phone),
            (other, "{}", phone), (other, record + " ", phone + " "), (updated, record, phone),
        ] {
            let opened = await gate.resume(assets, record: record, environment: environment)
            XCTAssertFalse(opened)
            let isOpen = await gate.isOpen
            XCTAssertFalse(isOpen)
        }
    }

    func testRecordCountsForNoOtherBundle() async throws {
        let assets = try MapAssets.fake()
        let first = try gate(assets)
        await first.test(assets)
        let record = try await first.record(environment: phone)
        for changed in [
            try assets.replacing("Tests alone.", "All uses."),
            assets.flippingBit("fake.mlpackage/Manifest.json", 1),
        ] {
            let gate = try gate(changed)
            let opened = await gate.resume(changed, record: record, environment: phone)
            XCTAssertFalse(opened)
        }
    }

    func testNoNumberIsNoAnswer() async throws {
        let assets = try MapAssets.fake()
        let gate = try gate(
            assets, FakeClassifier { asked, logits in asked > 10 ? [.nan, 0, 0] : logits })
        await gate.test(assets)
        do {
            _ = try await gate.decide(picture)
            XCTFail("it answered")
        } catch {
            assertSays("\(error)", "nan")
        }
    }
}
