import XCTest

@testable import HierAttnCore

final class JsonTests: XCTestCase {
    private func assertRefused(
        _ texts: [String], file: StaticString = #filePath, line: UInt = #line
    ) {
        for text in texts {
            let said = words({ try Json.parse(text) }, file: file, line: line)
            XCTAssert(said.hasPrefix("JSON, byte "), "\(text): \(said)", file: file, line: line)
        }
    }

    func testReadsEveryKind() throws {
        let read = try Json.parse(
            " {\"a\":[1,-2.5e1,0,true,false,null],\r\n\t\"b\":{},\"c\":[],\"d\":\"x\"} ")
        XCTAssertEqual(
            read["a"],
            .list([.whole(1), .number(-25), .whole(0), .bool(true), .bool(false), .null]))
        XCTAssertEqual(read["b"], .object([]))
        XCTAssertEqual(read["c"], .list([]))
        XCTAssertEqual(read.keys, ["a", "b", "c", "d"])
        XCTAssertEqual(read["a"]?[1], .number(-25))
        XCTAssertNil(read["e"] ?? read["a"]?[6] ?? read[0])
        XCTAssertEqual(try Json.parse("null"), .null)
    }

    func testNumbers() throws {
        XCTAssertEqual(try Json.parse("9223372036854775807"), .whole(.max))
        XCTAssertEqual(try Json.parse("9223372036854775808"), .number(9.223372036854775808e18))
        XCTAssertEqual(try Json.parse("1e-05"), .number(1e-5))
        XCTAssertEqual(try Json.parse("5e-324"), .number(.leastNonzeroMagnitude))
        XCTAssertEqual(try Json.parse("1E+1"), .number(10))
        assertRefused([
            "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity", "-Infinity",
            "1e999", "-1e999", "1_0", "1d", "1f", "--1", "\u{661}",
        ])
    }

    func testStrings() throws {
        XCTAssertEqual(
            try Json.parse(#""\"\\\/\b\f\n\r\t\u00E4\ud83d\uDE00""#),
            .text("\"\\/\u{8}\u{c}\n\r\t\u{e4}\u{1f600}"))
        XCTAssertEqual(try Json.parse("\"\u{e4}\u{1f600}\""), .text("\u{e4}\u{1f600}"))
        assertRefused([
            "\"", #""\"#, #""\x""#, #""\u12""#, #""\u12g4""#, #""\ud83d""#, #""\ude00\ud83d""#,
            #""\ud83d\u0041""#, "\"\\u\u{661}\u{661}\u{661}\u{661}\"", "\"\n\"", "\"\0\"", "'a'",
            "\"a\"b",
        ])
    }

    func testStructure() {
        assertRefused([
            "", " ", "{", "[", "]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
            "[1,]", "[1 2]", "{\"a\" 1}", "{a:1}", "{1:1}", "[1]]", "1 1", "tru", "nul", "True",
            "//1", "{\"a\":1 \"b\":2}", "\u{feff}1",
        ])
    }

    func testEveryCutIsRefused() {
        let whole = #"{"a": [1.5, "\u00e4", {"b": null}], "c": true}"#
        assertRefused((0..<whole.count).map { String(whole.prefix($0)) })
    }

    func testAKeyTwiceIsRefused() {
        assertRefused([#"{"a": 1, "a": 1}"#, #"[{"x": {"a": 1, "\u0061": null}}]"#])
    }

    func testDepthHasALimit() throws {
        let open = String(repeating: "[", count: Json.deepest)
        let close = String(repeating: "]", count: Json.deepest)
        let deepest = try Json.parse(open + close)
        XCTAssertEqual(try deepest.write(), open + close)
        assertRefused(["[" + open + close + "]", String(repeating: "[", count: 1_000_000)])
        assertSays(words { try Json.list([deepest]).write() }, "levels")
    }

    func testBytesMustBeUtf8() throws {
        XCTAssertEqual(try Json.parse(Array("\"\u{e4}\u{fffd}\"".utf8)), .text("\u{e4}\u{fffd}"))
        let wrong: [[UInt8]] = [[0x22, 0xe4, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xc3]]
        for bytes in wrong {
            XCTAssertEqual(words { try Json.parse(bytes) }, "not UTF-8")
        }
    }

    func testWritesWhatItReads() throws {
        let value = Json.object([
            .init("text", .text("\"\\\n\u{1}\u{e4}\u{1f600}\u{2028}")),
            .init(
                "numbers",
                .list([.whole(1), .number(-0.1), .number(1e300), .number(1e-5), .null, .bool(true)])
            ),
            .init("empty", .object([])),
        ])
        let written = try value.write()
        XCTAssertEqual(try Json.parse(written), value)
        XCTAssertTrue(written.utf8.allSatisfy { (0x20...0x7e).contains($0) }, written)
        XCTAssertEqual(
            try Json.list([.number(1.5), .number(Double(Float(0.1)))]).write(),
            "[1.5, 0.10000000149011612]")
    }

    func testWritesNoOtherNumbers() {
        for wrong in [Double.nan, .infinity, -.infinity] {
            assertSays(words { try Json.list([.number(wrong)]).write() }, "no JSON")
            XCTAssertEqual(Json.finite(wrong), .null)
        }
    }

    func testDoublesSurvive() throws {
        var random = Seeded(3)
        for _ in 0..<20000 {
            let value = Double(bitPattern: random.next())
            if value.isFinite {
                XCTAssertEqual(try Json.parse(Json.number(value).write()).number, value)
            }
        }
    }
}
