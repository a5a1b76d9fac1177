import HierAttnCore
import HierAttnCoreML
import SwiftUI

/// What the network is, for what it is meant, what the self-test found, and how fast it is here.
struct AboutView: View {
    @EnvironmentObject private var network: Network
    @State private var units = ComputeUnits.cpuOnly
    @State private var result: String?
    @State private var isMeasuring = false

    var body: some View {
        List {
            if let bundle = network.bundle {
                Section { Text(Words.summary(bundle)) }
                Section(Words.intendedUse) { Text(bundle.intendedUse) }
                Section(Words.licence) { Text(bundle.licence) }
                Section(Words.selfTest) {
                    SelfTestText()
                    ForEach(network.test?.images ?? [], id: \.file) { image in
                        Text(Words.detailPicture(image)).font(.footnote)
                    }
                    ForEach(network.test?.photos ?? [], id: \.file) { photo in
                        Text(Words.detailPhoto(photo)).font(.footnote)
                    }
                }
            }
            Section(Words.benchmark) {
                Text(Words.benchmarkPurpose)
                Picker(Words.computeUnits, selection: $units) {
                    ForEach(ComputeUnits.allCases, id: \.self) { Text(Words.units($0)) }
                }
                Button(Words.benchmarkRun) { Task { await measure() } }.disabled(isMeasuring)
                if isMeasuring { ProgressView() }
                if let result {
                    ShareLink(item: result)
                    Text(result).font(.footnote.monospaced()).textSelection(.enabled)
                }
            }
            Section(Words.privacy) { Text(Words.privacyText) }
            Section(Words.health) { Text(Words.healthText) }
            if let card { Section(Words.modelCard) { Text(card) } }
        }
        .navigationTitle(Words.about)
    }

    private var card: String? {
        guard let bundle = network.bundle, let folder = AppResources.network,
            let content = try? bundle.read(FolderAssets(folder), ModelBundle.card)
        else { return nil }
        return String(decoding: content, as: UTF8.self)
    }

    private func measure() async {
        guard let folder = AppResources.network else { return }
        isMeasuring = true
        let units = units
        let json = await Task.detached { await Benchmark(folder).run(units) }.value
        result = try? json.write()
        isMeasuring = false
    }
}
