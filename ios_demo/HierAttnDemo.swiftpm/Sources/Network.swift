import Foundation
import HierAttnCore
import HierAttnCoreML
import SwiftUI

/// The network behind its gate, and what it says of the photo that was chosen last.
@MainActor
final class Network: ObservableObject {
    /// What the screen shows of the self-test.
    enum State: Equatable {
        case loading
        case testing
        case passed
        case failed(String)
        case error(String)
    }

    /// An answer with the pixels that it was given for.
    struct Answer: Sendable {
        let decision: Decision
        let pixels: [UInt8]
        let side: Int
    }

    @Published private(set) var state = State.loading
    @Published private(set) var bundle: ModelBundle?
    @Published private(set) var test: SelfTestResult?
    @Published private(set) var answer: Answer?
    @Published private(set) var refusal: String?
    @Published private(set) var isBusy = false
    private var gate: SelfTestGate?

    /// Load the network once and test it: its pixels and answers must be the lab's.
    func prepare() async {
        guard gate == nil else { return }
        guard let folder = AppResources.network else {
            state = .error("HierAttn.bundle is missing; run 'hierattn bundle' and build again")
            return
        }
        do {
            let assets = FolderAssets(folder)
            let loaded = try await Network.load(assets)
            bundle = loaded.bundle
            gate = loaded.gate
            state = .testing
            let decoder = ImageIODecoder(loaded.bundle.preprocessing)
            let result = await loaded.gate.test(assets, photoDecoders: [decoder])
            test = result
            switch result.status {
            case .passed: state = .passed
            case .failed: state = .failed(result.reason ?? "")
            case .error: state = .error(result.reason ?? "")
            }
        } catch {
            state = .error("\(error)")
        }
    }

    /// Ask the network about a photo's file; the answer before is forgotten at once.
    func look(at file: Data) async {
        answer = nil
        refusal = nil
        guard let gate, let bundle, state == .passed else { return }
        isBusy = true
        defer { isBusy = false }
        let spec = bundle.preprocessing
        do {
            let pixels = try await Task.detached {
                try ImageIODecoder(spec).pixels(of: [UInt8](file))
            }.value
            let decision = try await gate.decide(pixels)
            answer = Answer(decision: decision, pixels: pixels, side: spec.imageSize)
        } catch {
            refusal = "\(error)"
        }
    }

    /// The photo could not be fetched.
    func refuse(_ words: String) {
        answer = nil
        refusal = words
    }

    private nonisolated static func load(_ assets: FolderAssets) async throws
        -> (bundle: ModelBundle, gate: SelfTestGate)
    {
        let bundle = try ModelBundle.load(assets)
        // Before Core ML sees any of them.
        try bundle.checkFiles(assets)
        let classifier = try await CoreMLClassifier(bundle, in: assets.folder)
        return (bundle, SelfTestGate(bundle, classifier))
    }
}
