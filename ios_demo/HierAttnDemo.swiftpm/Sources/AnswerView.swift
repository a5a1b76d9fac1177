import HierAttnCore
import SwiftUI

/// Puts an answer into words, the mark for melanoma first. It never says more than the network can
/// know.
struct AnswerView: View {
    let answer: Network.Answer
    let point: OperatingPoint

    var body: some View {
        VStack(alignment: .leading, spacing: 16) {
            mark
            if let picture {
                picture
                    .resizable()
                    .aspectRatio(1, contentMode: .fit)
                    .frame(maxWidth: 320)
            }
            Text(Words.asSeen(answer.side)).font(.footnote)
            headline
            Text(point.isFitted ? Words.scores : Words.scoresNotCalibrated).font(.headline)
            ForEach(answer.decision.top, id: \.place) { score($0) }
        }
    }

    private var mark: some View {
        VStack(alignment: .leading, spacing: 8) {
            if let flag = answer.decision.melanomaFlag, let threshold = point.melanomaThreshold {
                let score = answer.decision.melanomaProbability
                Text(flag ? Words.melanomaMarked : Words.melanomaNotMarked).font(.title3.bold())
                Text(
                    flag
                        ? Words.melanomaMarkedWhy(score, threshold)
                        : Words.melanomaNotMarkedWhy(score, threshold))
            } else {
                Text(Words.melanomaUnknown)
            }
            if point.isFitted { Text(Words.fittedOn(point.fittedOn)).font(.footnote) }
        }
        .padding()
        .frame(maxWidth: .infinity, alignment: .leading)
        .background(
            (answer.decision.melanomaFlag == true ? Color.red : .gray).opacity(0.18),
            in: RoundedRectangle(cornerRadius: 12)
        )
        .accessibilityElement(children: .combine)
        .accessibilitySortPriority(1)
    }

    @ViewBuilder private var headline: some View {
        let first = answer.decision.top[0]
        if answer.decision.sure {
            Text(Words.looksMostLike(Words.className(first.label))).font(.title3)
            Text(Words.looksMostLikeWhy)
        } else {
            Text(Words.notSure).font(.title3)
            Text(Words.notSureWhy(first.probability, point.abstainThreshold))
        }
    }

    private func score(_ candidate: Decision.Candidate) -> some View {
        let name = Words.className(candidate.label)
        let percent = Words.percent(candidate.probability)
        return VStack(alignment: .leading, spacing: 4) {
            ViewThatFits {
                HStack {
                    Text(name)
                    Spacer()
                    Text(percent).monospacedDigit()
                }
                VStack(alignment: .leading) {
                    Text(name)
                    Text(percent).monospacedDigit()
                }
            }
            ProgressView(value: candidate.probability)
        }
        .accessibilityElement(children: .ignore)
        .accessibilityLabel(Words.score(name, percent))
    }

    private var picture: Image? {
        guard let provider = CGDataProvider(data: Data(answer.pixels) as CFData),
            let image = CGImage(
                width: answer.side, height: answer.side, bitsPerComponent: 8, bitsPerPixel: 24,
                bytesPerRow: answer.side * 3, space: CGColorSpaceCreateDeviceRGB(),
                bitmapInfo: CGBitmapInfo(rawValue: CGImageAlphaInfo.none.rawValue),
                provider: provider, decode: nil, shouldInterpolate: false,
                intent: .defaultIntent)
        else { return nil }
        return Image(image, scale: 1, label: Text(Words.asSeenDescription))
    }
}
