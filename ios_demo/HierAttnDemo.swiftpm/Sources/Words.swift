import Foundation
import HierAttnCore
import HierAttnCoreML

/// All that the app says. The words stand in `Resources/LANGUAGE.lproj/Localizable.strings`, under
/// the names that the Android app gives them; what an error says is English, where the Android app
/// gives the reason in the phone's language, too.
enum Words {
    static let appName = text("app_name")
    static let disclaimer = text("disclaimer")
    static let subtitle = text("subtitle")
    static let selfTest = text("self_test")
    static let selfTestWaiting = text("self_test_waiting")
    static let selfTestRunning = text("self_test_running")
    static let choosePhoto = text("choose_photo")
    static let working = text("working")
    static let noPictureCame = text("no_picture_came")
    static let asSeenDescription = text("as_seen_description")
    static let notSure = text("not_sure")
    static let looksMostLikeWhy = text("looks_most_like_why")
    static let scores = text("scores")
    static let scoresNotCalibrated = text("scores_not_calibrated")
    static let melanomaMarked = text("melanoma_marked")
    static let melanomaNotMarked = text("melanoma_not_marked")
    static let melanomaUnknown = text("melanoma_unknown")
    static let about = text("about")
    static let intendedUse = text("about_intended_use")
    static let licence = text("about_licence")
    static let modelCard = text("about_card")
    static let computeUnits = text("compute_units")
    static let benchmark = text("benchmark")
    static let benchmarkPurpose = text("benchmark_purpose")
    static let benchmarkRun = text("benchmark_run")
    static let privacy = text("about_privacy")
    static let privacyText = text("about_privacy_text")
    static let health = text("about_health")
    static let healthText = text("about_health_text")

    private static let runtime = "Core ML"

    static func className(_ label: String) -> String {
        switch label {
        case "ACK", "AK", "AKIEC": return text("class_ack")
        case "BCC": return text("class_bcc")
        case "BKL": return text("class_bkl")
        case "DF": return text("class_df")
        case "MEL": return text("class_mel")
        case "NEV", "NV": return text("class_nev")
        case "SCC": return text("class_scc")
        case "SEK": return text("class_sek")
        case "VASC": return text("class_vasc")
        default: return label
        }
    }

    static func percent(_ share: Double) -> String {
        share.formatted(.percent.precision(.fractionLength(1)))
    }

    static func unverified(_ reasons: [String]) -> String {
        let why = reasons.isEmpty ? text("unverified_no_reason") : reasons.joined(separator: "; ")
        return text("unverified", why)
    }

    static func selfTestPassed(_ test: SelfTestResult, _ bundle: ModelBundle) -> String {
        let pictures = text("self_test_passed", runtime, "\(test.images.count)")
        guard let photos = bundle.photos, !test.photos.isEmpty else {
            return pictures + " " + text("self_test_no_photos")
        }
        return pictures + " "
            + text("self_test_photos", "\(photos.images.count)", "\(photos.maxDifference)")
    }

    static func selfTestFailed(_ reason: String) -> String {
        text("self_test_failed", reason)
    }

    static func selfTestError(_ reason: String) -> String {
        text("self_test_error", reason)
    }

    static func photoRefused(_ reason: String) -> String {
        text("photo_refused", reason)
    }

    static func asSeen(_ side: Int) -> String {
        text("as_seen", "\(side)") + " " + text("decoder_note")
    }

    static func notSureWhy(_ score: Double, _ threshold: Double) -> String {
        text("not_sure_why", percent(score), percent(threshold))
    }

    static func looksMostLike(_ name: String) -> String {
        text("looks_most_like", name)
    }

    static func score(_ name: String, _ percent: String) -> String {
        text("score_description", name, percent)
    }

    static func melanomaMarkedWhy(_ score: Double, _ threshold: Double) -> String {
        text("melanoma_marked_why", percent(score), percent(threshold))
    }

    static func melanomaNotMarkedWhy(_ score: Double, _ threshold: Double) -> String {
        text("melanoma_not_marked_why", percent(score), percent(threshold))
    }

    static func fittedOn(_ photos: String) -> String {
        text("fitted_on", photos)
    }

    static func summary(_ bundle: ModelBundle) -> String {
        let system = ProcessInfo.processInfo.operatingSystemVersionString
        return text(
            "about_summary", bundle.model, bundle.precision, runtime, system, bundle.artefact,
            bundle.sha256)
    }

    static func units(_ units: ComputeUnits) -> String {
        switch units {
        case .cpuOnly: return text("units_cpu")
        case .cpuAndGPU: return text("units_cpu_gpu")
        case .cpuAndNeuralEngine: return text("units_cpu_neural")
        case .all: return text("units_all")
        }
    }

    static func detailPicture(_ image: SelfTestResult.Image) -> String {
        let relative =
            image.maxRelative.isFinite
            ? String(format: "%.1e", image.maxRelative) : text("detail_no_number")
        return mark(image.passed)
            + text("detail_picture", image.file, "\(image.differingBytes)", relative)
    }

    static func detailPhoto(_ photo: PhotoTest.Result) -> String {
        guard let most = photo.maxDifference, let mean = photo.meanDifference else {
            return mark(photo.passed)
                + text("detail_photo_not_decoded", photo.file, photo.decoder)
        }
        let average = mean.formatted(.number.precision(.fractionLength(3)))
        return mark(photo.passed)
            + text("detail_photo", photo.file, photo.decoder, "\(most)", average)
    }

    private static func mark(_ passed: Bool) -> String {
        passed ? "✓ " : "✗ "
    }

    /// The words of a name, with values in their gaps.
    private static func text(_ name: String, _ values: String...) -> String {
        let words = AppResources.bundle.localizedString(forKey: name, value: nil, table: nil)
        return values.enumerated().reduce(words) { filled, value in
            filled.replacingOccurrences(of: "%\(value.offset + 1)$@", with: value.element)
        }
    }
}
