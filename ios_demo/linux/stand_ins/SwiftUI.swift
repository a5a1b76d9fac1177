// Stand-in for the type checker on Linux, by hand from Apple's documentation: nothing here runs.
// It holds what the sample app uses, each with the isolation that Apple states; views are empty.
@_exported import CoreGraphics

// Combine
public protocol ObservableObject: AnyObject {}
@propertyWrapper public struct Published<Value> {
    public var wrappedValue: Value
    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }
}

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder @MainActor @preconcurrency var body: Body { get }
}
extension Never: View {
    public var body: Never { fatalError() }
}
/// Whatever a modifier or a container makes.
public struct Anything: View {
    public nonisolated init() {}
    public var body: Never { fatalError() }
}
extension Optional: View where Wrapped: View {
    public var body: Never { fatalError() }
}
@resultBuilder public struct ViewBuilder {
    public static func buildBlock() -> Anything { Anything() }
    public static func buildBlock<Content: View>(_ content: Content) -> Content { content }
    public static func buildBlock<each Content: View>(_ content: repeat each Content) -> Anything {
        Anything()
    }
    public static func buildExpression<Content: View>(_ content: Content) -> Content { content }
    public static func buildIf<Content: View>(_ content: Content?) -> Content? { content }
    public static func buildEither<First: View>(first: First) -> Anything { Anything() }
    public static func buildEither<Second: View>(second: Second) -> Anything { Anything() }
    public static func buildLimitedAvailability<Content: View>(_ content: Content) -> Anything {
        Anything()
    }
}

@MainActor @preconcurrency public protocol Scene {
    associatedtype Body: Scene
    @MainActor @preconcurrency var body: Body { get }
}
extension Never: Scene {}
public struct WindowGroup: Scene {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError() }
}
@MainActor @preconcurrency public protocol App {
    associatedtype Body: Scene
    @SceneBuilder @MainActor @preconcurrency var body: Body { get }
    @MainActor @preconcurrency init()
}
@resultBuilder public struct SceneBuilder {
    public static func buildBlock<Content: Scene>(_ content: Content) -> Content { content }
}
extension App {
    @MainActor @preconcurrency public static func main() {}
}

@propertyWrapper public struct State<Value> {
    public var wrappedValue: Value {
        get { fatalError() }
        nonmutating set {}
    }
    public var projectedValue: Binding<Value> { fatalError() }
    public init(wrappedValue: Value) {}
}
extension State where Value: ExpressibleByNilLiteral {
    public init() {}
}
@propertyWrapper public struct Binding<Value> {
    public var wrappedValue: Value {
        get { fatalError() }
        nonmutating set {}
    }
    public init(projectedValue: Binding<Value>) {}
}
@MainActor @preconcurrency @propertyWrapper public struct StateObject<Object: ObservableObject> {
    public var wrappedValue: Object { fatalError() }
    public nonisolated init(wrappedValue: @autoclosure @escaping () -> Object) {}
}
@MainActor @preconcurrency @propertyWrapper
public struct EnvironmentObject<Object: ObservableObject> {
    public var wrappedValue: Object { fatalError() }
    public nonisolated init() {}
}

public protocol ShapeStyle: Sendable {
    associatedtype Resolved
}
extension ShapeStyle {
    public typealias Resolved = Never
    public func opacity(_ opacity: Double) -> some ShapeStyle { self }
}
public struct Color: ShapeStyle, View {
    public nonisolated static let red = Color()
    public nonisolated static let gray = Color()
    public nonisolated static let yellow = Color()
    nonisolated init() {}
    public nonisolated func opacity(_ opacity: Double) -> Color { self }
    public var body: Never { fatalError() }
}
extension ShapeStyle where Self == Color {
    public static var red: Color { Color.red }
    public static var gray: Color { Color.gray }
    public static var yellow: Color { Color.yellow }
}
public protocol Shape: View, Sendable {}
public struct RoundedRectangle: Shape {
    public init(cornerRadius: CGFloat) {}
    public var body: Never { fatalError() }
}

public struct Font: Sendable {
    public static let headline = Font()
    public static let footnote = Font()
    public static let title3 = Font()
    public func bold() -> Font { self }
    public func monospaced() -> Font { self }
}
public enum HorizontalAlignment: Sendable { case leading, center, trailing }
public struct Alignment: Sendable {
    public static let leading = Alignment()
    public static let center = Alignment()
}
public enum ContentMode: Sendable { case fit, fill }
public enum ControlSize: Sendable { case small, regular, large }
public struct AccessibilityChildBehavior: Sendable {
    public static let ignore = AccessibilityChildBehavior()
    public static let contain = AccessibilityChildBehavior()
    public static let combine = AccessibilityChildBehavior()
}
public protocol PrimitiveButtonStyle {}
public struct BorderedProminentButtonStyle: PrimitiveButtonStyle {}
extension PrimitiveButtonStyle where Self == BorderedProminentButtonStyle {
    public static var borderedProminent: BorderedProminentButtonStyle { fatalError() }
}
public protocol TextSelectability {}
public struct EnabledTextSelectability: TextSelectability {}
extension TextSelectability where Self == EnabledTextSelectability {
    public static var enabled: EnabledTextSelectability { fatalError() }
}

public struct Text: View {
    public init<Content: StringProtocol>(_ content: Content) {}
    public func font(_ font: Font?) -> Text { self }
    public func monospacedDigit() -> Text { self }
    public func foregroundStyle<Style: ShapeStyle>(_ style: Style) -> Text { self }
    public var body: Never { fatalError() }
}
public struct Image: View {
    public init(_ image: CGImage, scale: CGFloat, label: Text) {}
    public init(decorative image: CGImage, scale: CGFloat) {}
    public func resizable() -> Image { self }
    public var body: Never { fatalError() }
}
public struct Label: View {
    public init<Content: StringProtocol>(_ title: Content, systemImage: String) {}
    public var body: Never { fatalError() }
}
public struct VStack: View {
    public init<Content: View>(
        alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil,
        @ViewBuilder content: () -> Content
    ) {}
    public var body: Never { fatalError() }
}
public struct HStack: View {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError() }
}
public struct ViewThatFits: View {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError() }
}
public struct List: View {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError() }
}
public struct ScrollView: View {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
    public var body: Never { fatalError() }
}
public struct Section: View {
    public init<Content: View>(@ViewBuilder content: () -> Content) {}
    public init<Title: StringProtocol, Content: View>(
        _ title: Title, @ViewBuilder content: () -> Content
    ) {}
    public var body: Never { fatalError() }
}
public struct NavigationStack: View {
    public init<Content: View>(@ViewBuilder root: () -> Content) {}
    public var body: Never { fatalError() }
}
public struct NavigationLink: View {
    public init<Title: StringProtocol, Destination: View>(
        _ title: Title, @ViewBuilder destination: () -> Destination
    ) {}
    public var body: Never { fatalError() }
}
public struct ForEach<Data: RandomAccessCollection, ID: Hashable, Content: View>: View {
    public init(
        _ data: Data, id: KeyPath<Data.Element, ID>,
        @ViewBuilder content: @escaping (Data.Element) -> Content
    ) {}
    public var body: Never { fatalError() }
}
public struct Button: View {
    @preconcurrency public init<Title: StringProtocol>(
        _ title: Title, action: @escaping @MainActor () -> Void
    ) {}
    public var body: Never { fatalError() }
}
public struct Picker: View {
    public init<Title: StringProtocol, Value: Hashable, Content: View>(
        _ title: Title, selection: Binding<Value>, @ViewBuilder content: () -> Content
    ) {}
    public var body: Never { fatalError() }
}
public struct ProgressView: View {
    public init() {}
    public init<Title: StringProtocol>(_ title: Title) {}
    public init<Value: BinaryFloatingPoint>(value: Value?, total: Value = 1.0) {}
    public var body: Never { fatalError() }
}
public struct ShareLink: View {
    public init(item: String) {}
    public var body: Never { fatalError() }
}
public struct Spacer: View {
    public init() {}
    public var body: Never { fatalError() }
}

extension View {
    public func font(_ font: Font?) -> some View { self }
    public func padding() -> some View { self }
    public func frame(
        maxWidth: CGFloat? = nil, maxHeight: CGFloat? = nil, alignment: Alignment = .center
    ) -> some View { self }
    public func background<Style: ShapeStyle, Place: Shape>(_ style: Style, in place: Place)
        -> some View
    { self }
    public func foregroundStyle<Style: ShapeStyle>(_ style: Style) -> some View { self }
    public func aspectRatio(_ ratio: CGFloat?, contentMode: ContentMode) -> some View { self }
    public func monospacedDigit() -> some View { self }
    public func disabled(_ disabled: Bool) -> some View { self }
    public func buttonStyle<Style: PrimitiveButtonStyle>(_ style: Style) -> some View { self }
    public func controlSize(_ size: ControlSize) -> some View { self }
    public func navigationTitle<Title: StringProtocol>(_ title: Title) -> some View { self }
    public func textSelection<Kind: TextSelectability>(_ kind: Kind) -> some View { self }
    public func toolbar<Content: View>(@ViewBuilder content: () -> Content) -> some View { self }
    public func environmentObject<Object: ObservableObject>(_ object: Object) -> some View { self }
    public func task(_ action: sending @escaping @isolated(any) () async -> Void) -> some View {
        self
    }
    public func onChange<Value: Equatable>(
        of value: Value, perform action: @escaping (Value) -> Void
    ) -> some View { self }
    public func accessibilityLabel<Words: StringProtocol>(_ words: Words) -> some View { self }
    public func accessibilityElement(children: AccessibilityChildBehavior) -> some View { self }
    public func accessibilitySortPriority(_ priority: Double) -> some View { self }
}
