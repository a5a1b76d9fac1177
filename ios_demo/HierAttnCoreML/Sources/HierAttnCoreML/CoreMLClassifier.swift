#if canImport(CoreML)
import CoreML
import Foundation
import HierAttnCore

/// What of the device computes. Other units round otherwise, so that each has its own self-test.
public enum ComputeUnits: String, Sendable, CaseIterable {
    /// In single precision where the model is; the one to begin with.
    case cpuOnly = "CPU"
    case cpuAndGPU = "CPU and GPU"
    case cpuAndNeuralEngine = "CPU and Neural Engine"
    case all = "all"

    var units: MLComputeUnits {
        switch self {
        case .cpuOnly: return .cpuOnly
        case .cpuAndGPU: return .cpuAndGPU
        case .cpuAndNeuralEngine: return .cpuAndNeuralEngine
        case .all: return .all
        }
    }
}

/// A bundle's model in Apple's runtime: bytes of a picture in, logits out.
///
/// It answers whoever asks; an app hands it to a `SelfTestGate`, which is silent until the answers
/// to the golden pictures are the lab's.
public final class CoreMLClassifier: Classifier {
    /// The runtime failed, or its model is not the one that the bundle describes.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public let runtimeName = "coreml"
    public let runtimeVersion: String
    private let bundle: ModelBundle
    private let preprocessor: Preprocessor
    private let model: MLModel
    private let input: MLMultiArray

    /// Compile the package on this device and load it.
    ///
    /// - Parameters:
    ///   - bundle: what describes the package; its files should have been checked.
    ///   - folder: of the bundle, with the package in it.
    ///   - units: what computes.
    /// - Throws: ``Failure`` where the model is another; what Core ML throws.
    public init(_ bundle: ModelBundle, in folder: URL, units: ComputeUnits = .cpuOnly) async throws
    {
        let package = folder.appendingPathComponent(bundle.artefact, isDirectory: true)
        let compiled = try await MLModel.compileModel(at: package)
        let configuration = MLModelConfiguration()
        configuration.computeUnits = units.units
        let model = try await MLModel.load(contentsOf: compiled, configuration: configuration)
        let side = bundle.preprocessing.imageSize
        let shape: [NSNumber] = [1, 3, NSNumber(value: side), NSNumber(value: side)]
        let stated = model.modelDescription.inputDescriptionsByName[bundle.inputName]
        guard let stated, stated.multiArrayConstraint?.shape == shape,
            model.modelDescription.outputDescriptionsByName[bundle.outputName] != nil
        else {
            throw Failure(description: "\(bundle.artefact): not the input and output of the bundle")
        }
        self.bundle = bundle
        self.model = model
        preprocessor = Preprocessor(bundle.preprocessing)
        input = try MLMultiArray(shape: shape, dataType: .float32)
        let system = ProcessInfo.processInfo.operatingSystemVersionString
        runtimeVersion = "\(system), \(units.rawValue)"
    }

    public func logits(_ rgb: [UInt8]) throws -> [Float] {
        try logits(input: preprocessor.input(of: rgb))
    }

    /// From floats [1, 3, S, S] to logits, the part that a benchmark times.
    public func logits(input floats: [Float]) throws -> [Float] {
        // Core ML need not lay an array out without gaps.
        let strides = input.strides.map(\.intValue)
        let side = bundle.preprocessing.imageSize
        guard floats.count == 3 * side * side else {
            throw Failure(description: "\(floats.count) floats: \(3 * side * side) are needed")
        }
        input.withUnsafeMutableBytes { raw, _ in
            let values = raw.bindMemory(to: Float.self)
            var from = 0
            for channel in 0..<3 {
                for y in 0..<side {
                    let row = channel * strides[1] + y * strides[2]
                    for x in 0..<side {
                        values[row + x * strides[3]] = floats[from]
                        from += 1
                    }
                }
            }
        }
        let features = try MLDictionaryFeatureProvider(dictionary: [bundle.inputName: input])
        let answer = try model.prediction(from: features)
        guard let values = answer.featureValue(for: bundle.outputName)?.multiArrayValue,
            values.count == bundle.classes.count
        else { throw Failure(description: "no \(bundle.classes.count) logits came") }
        return (0..<values.count).map { values[$0].floatValue }
    }
}
#endif
