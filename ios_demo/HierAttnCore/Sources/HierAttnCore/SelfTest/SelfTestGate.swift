/// A model was asked before it passed the self-test of its bundle on this device.
public struct NotTested: Error, Equatable, CustomStringConvertible {
    /// One line that says why the model does not answer.
    public let description: String
}

/// Where an app keeps the record of a passed self-test: one text, in its private files.
public protocol RecordStore: Sendable {
    /// Delete the record.
    ///
    /// - Throws: it is still there.
    func delete() throws

    /// Keep a record, wholly or not at all.
    ///
    /// - Throws: it was not kept.
    func keep(_ record: String) throws
}

/// Keeps a model silent until the self-test of this very bundle passed on this device.
///
/// An app runs ``test(_:photoDecoders:environment:store:)`` at its first launch and after every
/// change, and calls ``resume(_:record:environment:)`` with the record at later launches. A record
/// counts only for the same bundle (by sha256), runtime, runtime version and environment; the
/// bundle's files are hashed again.
public actor SelfTestGate {
    private let bundle: ModelBundle
    private let classifier: any Classifier
    private var reason: String? = "the self-test has not been run"

    /// Start shut.
    ///
    /// - Parameters:
    ///   - bundle: what the model comes from.
    ///   - classifier: made from the bundle's model; nobody else may use it.
    public init(_ bundle: ModelBundle, _ classifier: sending any Classifier) {
        self.bundle = bundle
        self.classifier = classifier
    }

    /// Run the self-test; opens if it passes, and shuts if it does not.
    ///
    /// - Parameter photoDecoders: all ways in which the app decodes JPEG photos.
    @discardableResult
    public func test(
        _ assets: some AssetReader, photoDecoders: [any PhotoDecoder] = []
    ) -> SelfTestResult {
        let result = SelfTest.run(bundle, assets, classifier, photoDecoders: photoDecoders)
        let verb = result.status == .error ? "broke off" : "failed"
        reason = result.reason.map { "the self-test \(verb): \($0)" }
        return result
    }

    /// Run the self-test and keep its record. The old record is deleted first: were the app to die
    /// of the test, it would still open the gate at the next launch.
    ///
    /// - Parameters:
    ///   - environment: as in ``record(environment:)``.
    ///   - store: where the record is kept; if it cannot be kept, the next launch tests again.
    /// - Throws: ``NotTested``: the old record cannot be deleted; nothing was tested, the gate is
    ///   shut.
    @discardableResult
    public func test(
        _ assets: some AssetReader, photoDecoders: [any PhotoDecoder] = [],
        environment: String, store: some RecordStore
    ) throws(NotTested) -> SelfTestResult {
        do {
            try store.delete()
        } catch {
            let words = "the record of an earlier self-test cannot be deleted: \(error)"
            reason = words
            throw NotTested(description: words)
        }
        let result = test(assets, photoDecoders: photoDecoders)
        if result.passed {
            // Where it is not kept, the next launch tests again; nothing worse.
            try? store.keep(record(environment: environment))
        }
        return result
    }

    /// Open by a record of an earlier launch instead of running the self-test again.
    ///
    /// - Parameters:
    ///   - assets: the bundle's files, all of which are hashed.
    ///   - record: from ``record(environment:)``, or nil where there is none.
    ///   - environment: as it was given to ``record(environment:)``.
    /// - Returns: whether it opened; if not, test.
    public func resume(_ assets: some AssetReader, record: String?, environment: String) -> Bool {
        guard let record, (try? Json.parse(record)) == facts(environment) else { return false }
        do { try bundle.checkFiles(assets) } catch { return false }
        reason = nil
        return true
    }

    /// What to keep of a self-test that passed.
    ///
    /// - Parameter environment: whatever else must stay the same, such as the app's version and the
    ///   system's build: an update of either may compute differently.
    /// - Throws: ``NotTested``: the gate is shut.
    public func record(environment: String) throws(NotTested) -> String {
        try check()
        do {
            return try facts(environment).write()
        } catch {
            throw NotTested(description: error.description)
        }
    }

    /// Whether the model answers.
    public var isOpen: Bool { reason == nil }

    /// Why the model does not answer, for the screen; nil where it does.
    public var shutReason: String? { reason }

    /// Ask the model.
    ///
    /// - Parameter rgb: bytes [S, S, 3] of ``Preprocessor``.
    /// - Throws: ``NotTested``; what the runtime throws; ``AnswerError`` where it answers with what
    ///   is no number.
    public func decide(_ rgb: [UInt8]) throws -> Decision {
        try Decision(
            logits: logits(rgb), classes: bundle.classes, point: bundle.operatingPoint)
    }

    /// Ask the model for its logits alone, as a benchmark does.
    ///
    /// - Throws: ``NotTested``; what the runtime throws.
    public func logits(_ rgb: [UInt8]) throws -> [Float] {
        try check()
        return try classifier.logits(rgb)
    }

    private func check() throws(NotTested) {
        if let reason { throw NotTested(description: reason) }
    }

    private func facts(_ environment: String) -> Json {
        .object([
            .init("bundle_sha256", .text(bundle.identity)),
            .init("runtime", .text(classifier.runtimeName)),
            .init("runtime_version", .text(classifier.runtimeVersion)),
            .init("environment", .text(environment)),
        ])
    }
}
