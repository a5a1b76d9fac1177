import SwiftUI

/// The sample app: one photo in, three scores out, nothing sent to anyone.
@main
struct DemoApp: App {
    @StateObject private var network = Network()

    var body: some Scene {
        WindowGroup {
            NavigationStack {
                PhotoView()
            }
            .environmentObject(network)
            .task { await network.prepare() }
        }
    }
}
