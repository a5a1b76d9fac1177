import XCTest

@testable import HierAttnCore

/// The examples of FIPS 180-4, and every length around a block against Python's hashlib.
final class Sha256Tests: XCTestCase {
    func testExamplesOfTheStandard() {
        XCTAssertEqual(
            Sha256.of([]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        XCTAssertEqual(
            Sha256.of(Array("abc".utf8)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        XCTAssertEqual(
            Sha256.of(Array(long.utf8)),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        XCTAssertEqual(
            Sha256.of([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// hashlib's: sha256 of the concatenated sha256 digits of bytes(range(n)), n = 0 to 255.
    func testEveryLength() {
        let digits = (0...255).map { length in Sha256.of((0..<length).map { UInt8($0) }) }
        XCTAssertEqual(
            Sha256.of(Array(digits.joined().utf8)),
            "c6af0de529d59e462ef135e191c98cb5a7e18ca9d6e63e3d62c82afe131a25d4")
    }
}
