import Foundation
import XCTest

@testable import HierAttnCore

/// What Python wrote for these tests (tests/android/vectors.py): one picture in memory at a time.
final class Vectors {
    /// One picture with the tensors that Python makes of it.
    struct Picture {
        let name: String
        let isPng: Bool
        let orientation: Int
        let file: [UInt8]
        let stored: RgbImage
        let tensors: [(side: Int, bytes: [UInt8])]
    }

    private let handle: FileHandle

    init(_ name: String) throws {
        handle = try FileHandle(forReadingFrom: Vectors.folder().appendingPathComponent(name))
    }

    /// Without the variable the test is skipped, as in a plain `swift test`.
    static func folder() throws -> URL {
        guard let folder = ProcessInfo.processInfo.environment["HIERATTN_VECTORS"] else {
            throw XCTSkip("no vectors: run 'make test-ios'")
        }
        return URL(fileURLWithPath: folder)
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder().appendingPathComponent(name)))
    }

    /// Leave something beside the vectors, for Python to read.
    static func write(_ name: String, _ json: Json) throws {
        let text = try json.write() + "\n"
        try Data(text.utf8).write(to: folder().appendingPathComponent(name))
    }

    static func numbers() throws -> Json {
        try Json.parse(bytes("numbers.json"))
    }

    /// The next picture of preprocess.bin, nil behind the last.
    func nextPicture() throws -> Picture? {
        guard let name = try nextBytes() else { return nil }
        let (isPng, orientation) = (try nextNumber() == 1, try nextNumber())
        let (width, height) = (try nextNumber(), try nextNumber())
        let file = try nextBytes()!
        let stored = RgbImage(width: width, height: height, rgb: try nextBytes()!)!
        var tensors: [(Int, [UInt8])] = []
        for _ in 0..<(try nextNumber()) { tensors.append((try nextNumber(), try nextBytes()!)) }
        return Picture(
            name: String(decoding: name, as: UTF8.self), isPng: isPng, orientation: orientation,
            file: file, stored: stored, tensors: tensors)
    }

    func nextNumber() throws -> Int {
        try number(read(4))
    }

    /// The next byte array, nil at the end of the file.
    func nextBytes() throws -> [UInt8]? {
        guard let head = try handle.read(upToCount: 4), !head.isEmpty else { return nil }
        return [UInt8](try read(number(head)))
    }

    private func number(_ bytes: Data) -> Int {
        Int(Int32(truncatingIfNeeded: bytes.reduce(0) { $0 << 8 | Int($1) }))
    }

    private func read(_ count: Int) throws -> Data {
        if count == 0 { return Data() }
        let found = try handle.read(upToCount: count) ?? Data()
        guard found.count == count else { throw CocoaError(.fileReadCorruptFile) }
        return found
    }

    /// How many bytes differ; a difference in length counts too.
    static func differing(_ found: [UInt8], _ wanted: [UInt8]) -> Int {
        abs(found.count - wanted.count) + zip(found, wanted).count { $0 != $1 }
    }
}

extension Json {
    var number: Double {
        switch self {
        case .whole(let value): return Double(value)
        case .number(let value): return value
        default: return .nan
        }
    }

    var numbers: [Double] {
        list.map(\.number)
    }

    var list: [Json] {
        guard case .list(let values) = self else { return [] }
        return values
    }

    var keys: [String] {
        guard case .object(let members) = self else { return [] }
        return members.map(\.key)
    }
}

/// The same numbers on every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
