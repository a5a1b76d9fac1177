import Foundation
import HierAttnCore

/// All that the app says; the same words as in the Android app.
enum Words {
    static let appName = "HierAttn demo"
    static let disclaimer =
        "Research demo, not a medical device. Not for diagnosis, triage or reassurance."
    static let subtitle =
        "A small skin-lesion network. Photos never leave this phone and are not kept."
    static let selfTest = "Self-test"
    static let selfTestWaiting = "Reading the network …"
    static let selfTestRunning =
        "First use of this network on this phone: checking that it answers like the lab …"
    static let choosePhoto = "Choose a photo"
    static let working = "Looking at the photo …"
    static let noPictureCame = "No picture came back."
    static let asSeenDescription = "The photo as the network sees it, squashed to a square"
    static let notSure = "Not sure"
    static let looksMostLikeWhy =
        "Highest does not mean right. On photos like those it learned from, it is often wrong."
    static let scores = "Three highest scores, calibrated"
    static let scoresNotCalibrated =
        "Three highest scores, not calibrated: photos to fit them on were missing"
    static let melanomaMarked = "Marked for melanoma"
    static let melanomaNotMarked = "Not marked for melanoma. That says nothing reassuring"
    static let melanomaUnknown =
        "This network has no point at which it marks melanoma. A spot that worries you belongs "
        + "before a doctor."
    static let about = "About this network"
    static let modelCard = "Model card"
    static let computeUnits = "Computed by"
    static let benchmark = "Benchmark"
    static let benchmarkPurpose =
        "Measures the network on this phone: screen on, phone lying still, charger as you like."
    static let benchmarkRun = "Run the benchmark"
    static let privacy = "Privacy"
    static let privacyText =
        "This app asks for no permission and uses no network: it sends nothing to anyone. A photo "
        + "is read into this phone's memory, asked about, and forgotten. Nothing is kept."
    static let health = "Health"
    static let healthText =
        "This app is a research demo about photos of skin. It is not a medical device and no "
        + "regulator has looked at it. It does not diagnose, treat, cure or prevent any disease. "
        + "Ask a doctor about your health, and do not wait because of anything that this app shows."

    private static let classNames = [
        "ACK": "Actinic keratosis", "AK": "Actinic keratosis", "BCC": "Basal cell carcinoma",
        "BKL": "Benign keratosis", "DF": "Dermatofibroma", "MEL": "Melanoma",
        "NEV": "Naevus (mole)", "NV": "Naevus (mole)", "SCC": "Squamous cell carcinoma",
        "SEK": "Seborrhoeic keratosis", "VASC": "Vascular lesion",
    ]

    static func className(_ label: String) -> String {
        classNames[label] ?? label
    }

    static func percent(_ share: Double) -> String {
        share.formatted(.percent.precision(.fractionLength(1)))
    }

    static func unverified(_ reasons: [String]) -> String {
        let why =
            reasons.isEmpty
            ? "its checks did not pass or were not run" : reasons.joined(separator: "; ")
        return "This network's file was not verified when it was exported: \(why). Trust its "
            + "answers even less."
    }

    static func selfTestPassed(_ test: SelfTestResult, _ bundle: ModelBundle) -> String {
        let pictures =
            "Self-test passed: from \(test.images.count) PNG pictures this phone makes the lab's "
            + "pixels and the lab's answers. "
        guard let photos = bundle.photos, !test.photos.isEmpty else {
            return pictures + "How it decodes JPEG, WebP, HEIC and AVIF photos was not tested."
        }
        return pictures
            + "Its decoder makes the lab's pixels from \(photos.images.count) JPEG photos, to "
            + "within \(photos.maxDifference) of 255 levels. WebP, HEIC and AVIF were not tested."
    }

    static func selfTestFailed(_ reason: String) -> String {
        "Self-test failed: on this phone something differs from the lab, so this demo classifies "
            + "nothing.\n\(reason)"
    }

    static func selfTestError(_ reason: String) -> String {
        "The network cannot be used: \(reason)"
    }

    static func photoRefused(_ reason: String) -> String {
        "This photo cannot be used: \(reason)"
    }

    static func asSeen(_ side: Int) -> String {
        "The photo as the network sees it: \(side) × \(side) pixels, squashed to a square. "
            + "Decoded by this phone; another decoder may differ in the last bit of a colour."
    }

    static func notSureWhy(_ score: Double, _ threshold: Double) -> String {
        "The highest score, \(percent(score)), is below \(percent(threshold)), the point under "
            + "which this demo gives no answer. The scores below are shown for research only."
    }

    static func looksMostLike(_ name: String) -> String {
        "The network scores highest: \(name)"
    }

    static func melanomaMarkedWhy(_ score: Double, _ threshold: Double) -> String {
        "Its melanoma score, \(percent(score)), reaches \(percent(threshold)), the point at which "
            + "this demo marks a photo. A marked photo may well show no melanoma. This is not a "
            + "finding: only a doctor can judge a spot."
    }

    static func melanomaNotMarkedWhy(_ score: Double, _ threshold: Double) -> String {
        "Its melanoma score, \(percent(score)), is below \(percent(threshold)), the point at which "
            + "this demo marks a photo. The network can miss a melanoma. A spot that is new, "
            + "changes, bleeds or worries you belongs before a doctor."
    }

    static func fittedOn(_ photos: String) -> String {
        "These points were fitted on: \(photos)."
    }

    static func summary(_ bundle: ModelBundle) -> String {
        "\(bundle.model), \(bundle.precision) Core ML\nFile: \(bundle.artefact)\nsha256: "
            + bundle.sha256
    }

    static func detailPicture(_ image: SelfTestResult.Image) -> String {
        "\(image.file): \(image.differingBytes) bytes differ, \(image.reason ?? "passed")"
    }

    static func detailPhoto(_ photo: PhotoTest.Result) -> String {
        guard let most = photo.maxDifference else { return "\(photo.file): not decoded" }
        return "\(photo.file), \(photo.decoder): up to \(most) levels off"
    }
}
