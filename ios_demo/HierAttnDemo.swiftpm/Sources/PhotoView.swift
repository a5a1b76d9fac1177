import PhotosUI
import SwiftUI

/// The first screen: what this is not, the choice of a photo, and the answer.
struct PhotoView: View {
    @EnvironmentObject private var network: Network
    @State private var chosen: PhotosPickerItem?

    var body: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 16) {
                Text(Words.disclaimer)
                    .font(.headline)
                    .frame(maxWidth: .infinity, alignment: .leading)
                    .padding()
                    .background(.yellow.opacity(0.25), in: RoundedRectangle(cornerRadius: 12))
                Text(Words.subtitle)
                if let bundle = network.bundle, !bundle.verified {
                    Text(Words.unverified(bundle.gateReasons)).foregroundStyle(.red)
                }
                SelfTestText()
                // The system's own picker: the app sees the chosen photo alone, without permission.
                PhotosPicker(
                    selection: $chosen, matching: .images, preferredItemEncoding: .current
                ) {
                    Label(Words.choosePhoto, systemImage: "photo")
                        .frame(maxWidth: .infinity)
                }
                .buttonStyle(.borderedProminent)
                .controlSize(.large)
                .disabled(network.state != .passed || network.isBusy)
                if network.isBusy { ProgressView(Words.working) }
                if let refusal = network.refusal { Text(Words.photoRefused(refusal)) }
                if let answer = network.answer, let bundle = network.bundle {
                    AnswerView(answer: answer, point: bundle.operatingPoint)
                }
            }
            .padding()
        }
        .navigationTitle(Words.appName)
        .toolbar { NavigationLink(Words.about) { AboutView() } }
        .onChange(of: chosen) { item in
            guard let item else { return }
            Task { await fetch(item) }
        }
    }

    private func fetch(_ item: PhotosPickerItem) async {
        do {
            guard let file = try await item.loadTransferable(type: Data.self) else {
                network.refuse(Words.noPictureCame)
                return
            }
            await network.look(at: file)
        } catch {
            network.refuse("\(error.localizedDescription)")
        }
    }
}

/// What the self-test found, in words.
struct SelfTestText: View {
    @EnvironmentObject private var network: Network

    var body: some View {
        switch network.state {
        case .loading: ProgressView(Words.selfTestWaiting)
        case .testing: ProgressView(Words.selfTestRunning)
        case .passed:
            if let test = network.test, let bundle = network.bundle {
                Text(Words.selfTestPassed(test, bundle)).font(.footnote)
            }
        case .failed(let reason): Text(Words.selfTestFailed(reason)).foregroundStyle(.red)
        case .error(let reason): Text(Words.selfTestError(reason)).foregroundStyle(.red)
        }
    }
}
