// Stand-in for the type checker on Linux, by hand from Apple's documentation: nothing here runs.
@_exported import Foundation

public typealias CFString = String
public typealias CFData = Data
public typealias CFDictionary = [CFString: Any]

public enum CGImageAlphaInfo: UInt32, Sendable {
    case none, premultipliedLast, premultipliedFirst, last, first, noneSkipLast, noneSkipFirst
    case alphaOnly
}
public enum CGColorSpaceModel: Sendable { case unknown, monochrome, rgb, cmyk, lab, indexed }
public final class CGColorSpace: Sendable {
    public let model = CGColorSpaceModel.rgb
}
public func CGColorSpaceCreateDeviceRGB() -> CGColorSpace { CGColorSpace() }
public struct CGBitmapInfo: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}
public enum CGColorRenderingIntent: Sendable { case defaultIntent }
public enum CGInterpolationQuality: Sendable { case none, low }
public enum CGBlendMode: Sendable { case normal, copy }
public final class CGDataProvider: Sendable {
    public init?(data: CFData) { nil }
}
public final class CGImage: Sendable {
    public let width = 0
    public let height = 0
    public let alphaInfo = CGImageAlphaInfo.none
    public let colorSpace: CGColorSpace? = nil
    public init?(
        width: Int, height: Int, bitsPerComponent: Int, bitsPerPixel: Int, bytesPerRow: Int,
        space: CGColorSpace, bitmapInfo: CGBitmapInfo, provider: CGDataProvider,
        decode: UnsafePointer<CGFloat>?, shouldInterpolate: Bool, intent: CGColorRenderingIntent
    ) { nil }
    public func cropping(to rect: CGRect) -> CGImage? { nil }
}
public final class CGContext {
    public var data: UnsafeMutableRawPointer? { nil }
    public var interpolationQuality = CGInterpolationQuality.low
    public init?(
        data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int,
        bytesPerRow: Int, space: CGColorSpace, bitmapInfo: UInt32
    ) { nil }
    public func setBlendMode(_ mode: CGBlendMode) {}
    public func draw(_ image: CGImage, in rect: CGRect) {}
}
