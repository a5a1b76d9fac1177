import Foundation
import XCTest

@testable import HierAttnCore

/// A bundle's files in memory, so that a test can damage one.
struct MapAssets: AssetReader {
    struct NoSuchFile: Error, CustomStringConvertible {
        let description = "no such file"
    }

    var files: [String: [UInt8]] = [:]

    /// The bundle of the fake model that Python wrote.
    static func fake() throws -> MapAssets {
        try MapAssets(folder: Vectors.folder().appendingPathComponent("coreml_bundle"))
    }

    init(folder: URL) throws {
        let root = folder.standardizedFileURL.path + "/"
        for case let file as URL in FileManager.default.enumerator(
            at: folder, includingPropertiesForKeys: nil)!
        {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
            if isFolder.boolValue { continue }
            let path = file.standardizedFileURL.path
            files[String(path.dropFirst(root.count))] = [UInt8](try Data(contentsOf: file))
        }
    }

    func read(_ path: String) throws -> [UInt8] {
        guard let content = files[path] else { throw NoSuchFile() }
        return content
    }

    var json: String {
        String(decoding: files[ModelBundle.file]!, as: UTF8.self)
    }

    /// With other text in bundle.json, as one who tampers would write it.
    func replacing(_ before: String, _ after: String) throws -> MapAssets {
        XCTAssert(json.contains(before), "bundle.json has no \(before)")
        var changed = self
        let text = json.replacingOccurrences(of: before, with: after)
        changed.files[ModelBundle.file] = Array(text.utf8)
        return changed
    }

    /// With the lowest bit of one byte flipped.
    func flippingBit(_ path: String, _ at: Int) -> MapAssets {
        var changed = self
        changed.files[path]![at] ^= 1
        return changed
    }

    /// With a bit flipped, and the file's new sha256 wherever the old one stood.
    func flippingBitAndHash(_ path: String, _ at: Int) throws -> MapAssets {
        let changed = flippingBit(path, at)
        return try changed.replacing(Sha256.of(files[path]!), Sha256.of(changed.files[path]!))
    }

    func bundle() throws -> ModelBundle {
        try ModelBundle.load(self)
    }
}

/// No model at all: weighted sums over bytes that tests/android/fake_bundle.py repeats exactly. The
/// tests of the self-test need something that answers.
final class FakeClassifier: Classifier, @unchecked Sendable {
    static let classes = 3
    private(set) var asked = 0
    let runtimeName = "fake"
    var runtimeVersion = "1"
    /// Changes what is answered; takes how often it was asked.
    private let change: (Int, [Float]) throws -> [Float]

    init(_ change: @escaping (Int, [Float]) throws -> [Float] = { _, logits in logits }) {
        self.change = change
    }

    func logits(_ rgb: [UInt8]) throws -> [Float] {
        asked += 1
        let logits = (0..<FakeClassifier.classes).map { k in
            var sum = 0
            for (place, byte) in rgb.enumerated() { sum += Int(byte) * (place * (k + 3) % 7 - 3) }
            return Float(sum) / 1024
        }
        return try change(asked, logits)
    }
}

/// An error of no known kind.
struct Broken: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The words of what is thrown; fails where nothing is.
func words<Value>(
    _ body: () throws -> Value, file: StaticString = #filePath, line: UInt = #line
) -> String {
    do {
        let value = try body()
        XCTFail("no error: \(value)", file: file, line: line)
        return ""
    } catch {
        let said = "\(error)"
        XCTAssertFalse(said.contains("\n"), said, file: file, line: line)
        return said
    }
}

/// Whether a text holds words; both are shown where it does not.
func assertSays(
    _ text: String?, _ words: String, file: StaticString = #filePath, line: UInt = #line
) {
    XCTAssert(text?.contains(words) ?? false, "\(text ?? "nil") / \(words)", file: file, line: line)
}
