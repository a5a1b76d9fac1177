// Stand-in for the type checker on Linux, by hand from Apple's documentation: nothing here runs.
@_exported import SwiftUI

public protocol Transferable {}
extension Data: Transferable {}
public struct PHPickerFilter: Sendable {
    public static let images = PHPickerFilter()
}
public struct PhotosPickerItem: Equatable, Hashable, Sendable {
    public struct EncodingDisambiguationPolicy: Sendable {
        public static let current = EncodingDisambiguationPolicy()
    }
    public func loadTransferable<Value: Transferable>(type: Value.Type) async throws -> Value? {
        nil
    }
}
public struct PhotosPicker: View {
    public init<Label: View>(
        selection: Binding<PhotosPickerItem?>, matching filter: PHPickerFilter? = nil,
        preferredItemEncoding: PhotosPickerItem.EncodingDisambiguationPolicy = .current,
        @ViewBuilder label: () -> Label
    ) {}
    public var body: Never { fatalError() }
}
