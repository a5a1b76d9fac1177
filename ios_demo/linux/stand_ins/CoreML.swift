// Stand-in for the type checker on Linux, by hand from Apple's documentation: nothing here runs.
@_exported import Foundation

public enum MLComputeUnits: Int, Sendable { case cpuOnly, cpuAndGPU, all, cpuAndNeuralEngine }
public enum MLMultiArrayDataType: Int, Sendable { case double, float32, float16, int32 }
public final class MLModelConfiguration {
    public var computeUnits = MLComputeUnits.all
    public init() {}
}
public final class MLMultiArrayConstraint {
    public let shape: [NSNumber] = []
}
public final class MLFeatureDescription {
    public let multiArrayConstraint: MLMultiArrayConstraint? = nil
}
public final class MLModelDescription {
    public let inputDescriptionsByName: [String: MLFeatureDescription] = [:]
    public let outputDescriptionsByName: [String: MLFeatureDescription] = [:]
}
public final class MLMultiArray {
    public let strides: [NSNumber] = []
    public let count = 0
    public init(shape: [NSNumber], dataType: MLMultiArrayDataType) throws {}
    public subscript(index: Int) -> NSNumber { 0 }
    public func withUnsafeMutableBytes<R>(
        _ body: (UnsafeMutableRawBufferPointer, [Int]) throws -> R
    ) rethrows -> R {
        try body(UnsafeMutableRawBufferPointer(start: nil, count: 0), [])
    }
}
public final class MLFeatureValue {
    public let multiArrayValue: MLMultiArray? = nil
}
public protocol MLFeatureProvider {
    func featureValue(for name: String) -> MLFeatureValue?
}
public final class MLDictionaryFeatureProvider: MLFeatureProvider {
    public init(dictionary: [String: Any]) throws {}
    public func featureValue(for name: String) -> MLFeatureValue? { nil }
}
public final class MLModel {
    public let modelDescription = MLModelDescription()
    public static func compileModel(at url: URL) async throws -> URL { url }
    public static func load(contentsOf url: URL, configuration: MLModelConfiguration) async throws
        -> MLModel
    { MLModel() }
    public func prediction(from input: any MLFeatureProvider) throws -> any MLFeatureProvider {
        input
    }
}
extension ProcessInfo {
    public enum ThermalState: Int, Sendable { case nominal, fair, serious, critical }
    public var thermalState: ThermalState { .nominal }
}
