/// Parts of bundle.json, each with its own rules.
extension ModelBundle {
    static func classes(_ top: Fields) throws(BundleError) -> [String] {
        let classes = try top.texts("classes")
        guard classes.count >= 2, Set(classes).count == classes.count else {
            throw top.wrong("classes", "at least two are needed, none of them twice")
        }
        return classes
    }

    static func files(_ listed: Fields) throws(BundleError) -> [(path: String, sha256: String)] {
        var files: [(path: String, sha256: String)] = []
        for path in listed.names {
            guard isPlain(path) else {
                throw BundleError("\(file): files: '\(path)' is no name of a file")
            }
            files.append((path, try listed.sha256(path)))
        }
        return files
    }

    /// Whether a path stays inside the bundle's folder: nothing outside it is ever read.
    static func isPlain(_ path: String) -> Bool {
        path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            part.first != "." && !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                        return true
                    default: return false
                    }
                }
        }
    }

    /// The sha256 of a folder, as the export states it: over its sorted paths and their hashes.
    static func packageHash(_ files: [(path: String, sha256: String)], under folder: String)
        -> String
    {
        let lines = files.map { ($0.path.dropFirst(folder.count + 1), $0.sha256) }
            .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        return Sha256.of(Array(lines.map { "\($0)\0\($1)\n" }.joined().utf8))
    }

    static func read(_ assets: some AssetReader, _ path: String) throws(BundleError) -> [UInt8] {
        do {
            return try assets.read(path)
        } catch {
            throw BundleError("\(path): cannot be read from the bundle: \(error); bundle again")
        }
    }
}
