/// Fixed-point weights of Pillow's antialiased bilinear filter along one side.
///
/// The order of every floating-point step is Pillow's (Resample.c, written anew here), because
/// another order may round to another integer. Swift never joins a multiplication and an addition
/// into one rounding by itself, on any processor.
struct ResizeWeights: Sendable {
    /// Weights are integers over 2^22: 32 bits less 8 of a pixel and 2 to spare.
    static let precisionBits: Int32 = 32 - 8 - 2
    /// A half, so that the shift rounds.
    static let half: Int32 = 1 << (precisionBits - 1)

    let inSize: Int
    let outSize: Int
    /// For each output: the first input with a weight.
    let first: [Int]
    /// For each output: how many inputs have a weight.
    let count: [Int]
    /// For each input: the first output that it counts for.
    let firstOut: [Int]
    /// For each input: how many outputs it counts for.
    let countOut: [Int]
    /// Weights of output o start at o * stride.
    let weights: [Int32]
    let stride: Int

    /// - Parameters:
    ///   - inSize: pixels before, at least 1.
    ///   - outSize: pixels after, at least 1.
    init(from inSize: Int, to outSize: Int) {
        let scale = Double(inSize) / Double(outSize)
        let support = scale < 1.0 ? 1.0 : scale
        let step = 1.0 / support
        let stride = Int(support.rounded(.up)) * 2 + 1
        var first = [Int](repeating: 0, count: outSize)
        var count = first
        var weights = [Int32](repeating: 0, count: outSize * stride)
        var shares = [Double](repeating: 0, count: stride)
        for out in 0..<outSize {
            let center = (Double(out) + 0.5) * scale
            let low = max(Int(center - support + 0.5), 0)
            let high = min(Int(center + support + 0.5), inSize)
            var sum = 0.0
            for x in 0..<(high - low) {
                shares[x] = ResizeWeights.triangle((Double(x + low) - center + 0.5) * step)
                sum += shares[x]
            }
            for x in 0..<(high - low) {
                let share = sum != 0.0 ? shares[x] / sum : shares[x]
                weights[out * stride + x] =
                    Int32(0.5 + share * Double(1 << ResizeWeights.precisionBits))
            }
            first[out] = low
            count[out] = high - low
        }
        var firstOut = [Int](repeating: 0, count: inSize)
        var countOut = firstOut
        // Both ends of the windows only ever move to the right, so that an input's outputs are
        // neighbours.
        for out in 0..<outSize {
            for place in first[out]..<first[out] + count[out] {
                if countOut[place] == 0 { firstOut[place] = out }
                countOut[place] += 1
            }
        }
        self.inSize = inSize
        self.outSize = outSize
        self.first = first
        self.count = count
        self.firstOut = firstOut
        self.countOut = countOut
        self.weights = weights
        self.stride = stride
    }

    /// Whether the pass leaves every pixel as it is; Pillow then skips it.
    var isIdentity: Bool { inSize == outSize }

    /// The weight of an input in an output that it counts for.
    func weight(of input: Int, in output: Int) -> Int32 {
        weights[output * stride + input - first[output]]
    }

    /// A sum of weighted pixels back to a byte.
    @inline(__always)
    static func toByte(_ sum: Int32) -> UInt8 {
        UInt8(clamping: sum >> precisionBits)
    }

    private static func triangle(_ x: Double) -> Double {
        let distance = x < 0.0 ? -x : x
        return distance < 1.0 ? 1.0 - distance : 0.0
    }
}
