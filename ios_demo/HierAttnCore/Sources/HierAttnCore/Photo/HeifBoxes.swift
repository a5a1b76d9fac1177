/// Finds how a HEIC or AVIF picture must be turned: the boxes `irot` and `imir` of the primary item
/// (ISO/IEC 23008-12, 6.5.10 and 6.5.12), in the order in which it lists them.
///
/// Its EXIF block does not count, as in Pillow and libheif: the boxes are what a reader must obey.
/// What is damaged counts as absent.
struct HeifBoxes {
    /// What is inside a box, and where its name stands.
    private struct Box {
        let from: Int
        let end: Int
        let nameAt: Int
    }

    private let file: [UInt8]

    /// Whether a file begins as HEIC and AVIF do, with a box `ftyp`.
    static func isHeif(_ file: [UInt8]) -> Bool {
        file.has("ftyp", at: 4)
    }

    static func orientation(of file: [UInt8]) -> Orientation {
        HeifBoxes(file: file).read()
    }

    private func read() -> Orientation {
        guard let meta = children(Box(from: 0, end: file.count, nameAt: -1), "meta").first else {
            return .upright
        }
        let inside = Box(from: min(meta.from + 4, meta.end), end: meta.end, nameAt: -1)
        guard let primary = children(inside, "pitm").first, primary.end - primary.from >= 6,
            let properties = children(inside, "iprp").first,
            let stored = children(properties, "ipco").first,
            let id = file.number(
                at: primary.from + 4, size: file[primary.from] == 0 ? 2 : 4, before: primary.end)
        else { return .upright }
        let all = children(stored)
        var turn = Turn()
        for list in children(properties, "ipma") {
            for index in associated(list, id) where all.indices.contains(index - 1) {
                apply(all[index - 1], &turn)
            }
        }
        return turn.orientation
    }

    /// The numbers of an item's properties, counted from 1, from one box `ipma`.
    private func associated(_ list: Box, _ wanted: Int) -> [Int] {
        guard list.end - list.from >= 8 else { return [] }
        let idSize = file[list.from] == 0 ? 2 : 4
        let isWide = file[list.from + 3] & 1 != 0
        let size = isWide ? 2 : 1
        let items = file.number(at: list.from + 4, size: 4)!
        var found: [Int] = []
        var at = list.from + 8
        var item = 0
        while item < items, at + idSize + 1 <= list.end {
            let id = file.number(at: at, size: idSize)!
            let count = Int(file[at + idSize])
            at += idSize + 1
            var place = 0
            while place < count, at + size <= list.end {
                if id == wanted {
                    // The highest bit says that the property is essential.
                    found.append(file.number(at: at, size: size)! & (isWide ? 0x7fff : 0x7f))
                }
                place += 1
                at += size
            }
            item += 1
        }
        return found
    }

    private func apply(_ property: Box, _ turn: inout Turn) {
        guard property.from < property.end else { return }
        let value = file[property.from]
        if file.has("irot", at: property.nameAt) {
            // Quarter turns against the clock.
            for _ in 0..<(4 - Int(value & 3)) % 4 { turn.clockwise() }
        } else if file.has("imir", at: property.nameAt) {
            turn.mirror(leftAndRight: value & 1 != 0)
        }
    }

    /// The boxes inside one, those of a name or all for nil.
    private func children(_ parent: Box, _ name: StaticString? = nil) -> [Box] {
        var found: [Box] = []
        var at = parent.from
        while at + 8 <= parent.end {
            var size = file.number(at: at, size: 4)!
            var head = 8
            if size == 1, at + 16 <= parent.end {
                // 64 bits; the upper 32 would lie behind any file that fits here.
                let isSmall = file.number(at: at + 8, size: 4) == 0
                size = isSmall ? file.number(at: at + 12, size: 4)! : -1
                head = 16
            } else if size == 0 {
                size = parent.end - at
            }
            if size < head || size > parent.end - at { return found }
            let box = Box(from: at + head, end: at + size, nameAt: at + 4)
            if name.map({ file.has($0, at: box.nameAt) }) ?? true { found.append(box) }
            at += size
        }
        return found
    }
}

/// Turns and mirrorings, one after the other.
private struct Turn {
    private var swaps = false
    private var columns = false
    private var rows = false

    mutating func clockwise() {
        (swaps, columns, rows) = (!swaps, !rows, columns)
    }

    mutating func mirror(leftAndRight: Bool) {
        if leftAndRight { columns.toggle() } else { rows.toggle() }
    }

    var orientation: Orientation {
        (1...8).compactMap(Orientation.init).first {
            $0.swapsSides == swaps && $0.mirrorsColumns == columns && $0.mirrorsRows == rows
        }!
    }
}
