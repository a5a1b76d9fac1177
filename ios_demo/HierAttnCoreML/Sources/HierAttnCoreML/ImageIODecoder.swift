#if canImport(CoreML)
import CoreGraphics
import Foundation
import HierAttnCore
import ImageIO

/// Decodes photos by ImageIO at full size, without colour conversion and without a thumbnail; PNG
/// by the core's own decoder.
public struct ImageIODecoder: PhotoDecoder {
    /// As many pixels as Python reads.
    private static let mostPixels = 178_956_970

    public let name = "whole"
    private let preprocessor: Preprocessor

    /// - Parameter spec: of the bundle.
    public init(_ spec: PreprocessSpec) {
        preprocessor = Preprocessor(spec)
    }

    public func pixels(of file: [UInt8]) throws(UnreadableImage) -> [UInt8] {
        if file.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
            return try preprocessor.pixels(ofPng: file)
        }
        // ImageIO paints what is cut off grey, and converts four inks in a way of its own.
        if JpegLayout.isJpeg(file) { try JpegLayout.check(file) }
        let (image, stated) = try decode(file)
        let orientation = ExifReader.orientation(of: file)
        if let stated, stated != orientation.value {
            throw UnreadableImage("this phone would turn it otherwise; save it as JPEG")
        }
        do {
            var resize = try preprocessor.stream(image.width, image.height, orientation)
            try rows(of: image) { y, rgba in
                try resize.add(row: y, Alpha.rowOverWhite(rgba, image.width))
            }
            return try resize.finish()
        } catch {
            throw error as? UnreadableImage ?? UnreadableImage("\(error)")
        }
    }

    /// The picture as stored, and the orientation that ImageIO reads, where it states one.
    private func decode(_ file: [UInt8]) throws(UnreadableImage) -> (CGImage, Int?) {
        let options = [kCGImageSourceShouldCache: false] as CFDictionary
        guard let source = CGImageSourceCreateWithData(Data(file) as CFData, options),
            let facts = CGImageSourceCopyPropertiesAtIndex(source, 0, options) as? [CFString: Any],
            let width = facts[kCGImagePropertyPixelWidth] as? Int,
            let height = facts[kCGImagePropertyPixelHeight] as? Int
        else { throw UnreadableImage("not a picture that this phone reads") }
        guard width > 0, height > 0, height <= ImageIODecoder.mostPixels / width else {
            throw UnreadableImage("it has too many pixels; choose a smaller copy")
        }
        guard let image = CGImageSourceCreateImageAtIndex(source, 0, options) else {
            throw UnreadableImage("it cannot be decoded")
        }
        switch image.alphaInfo {
        case .none, .noneSkipFirst, .noneSkipLast: break
        default: throw UnreadableImage("it has transparent parts; save it as PNG or JPEG")
        }
        return (image, facts[kCGImagePropertyOrientation] as? Int)
    }

    /// Draw the picture in its own colour space, so that no level changes, a band of rows at once.
    private func rows(of image: CGImage, _ receiver: (Int, ArraySlice<UInt8>) throws -> Void) throws
    {
        guard let space = image.colorSpace, space.model == .rgb || space.model == .monochrome else {
            throw UnreadableImage("it has colours that are not understood; save it as JPEG")
        }
        let isGrey = space.model == .monochrome
        let bytes = isGrey ? 1 : 4
        let band = min(256, image.height)
        let info = isGrey ? CGImageAlphaInfo.none : CGImageAlphaInfo.noneSkipLast
        for top in stride(from: 0, to: image.height, by: band) {
            let height = min(band, image.height - top)
            let area = CGRect(x: 0, y: top, width: image.width, height: height)
            guard let part = image.cropping(to: area),
                let context = CGContext(
                    data: nil, width: image.width, height: height, bitsPerComponent: 8,
                    bytesPerRow: image.width * bytes, space: space, bitmapInfo: info.rawValue)
            else { throw UnreadableImage("there is too little memory for it") }
            context.interpolationQuality = .none
            context.setBlendMode(.copy)
            context.draw(part, in: CGRect(x: 0, y: 0, width: image.width, height: height))
            guard let data = context.data else { throw UnreadableImage("it cannot be decoded") }
            let drawn = UnsafeRawBufferPointer(start: data, count: image.width * height * bytes)
            for y in 0..<height {
                let row = Array(drawn[y * image.width * bytes..<(y + 1) * image.width * bytes])
                let rgba =
                    isGrey
                    ? row.flatMap { [$0, $0, $0, 255] }
                    : row.enumerated().map { $0.offset % 4 == 3 ? 255 : $0.element }
                try receiver(top + y, rgba[...])
            }
        }
    }
}
#endif
