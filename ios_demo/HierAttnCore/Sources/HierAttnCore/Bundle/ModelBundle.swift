/// What `hierattn bundle` put into the app: bundle.json, read and checked.
///
/// Since bundle.json holds the sha256 of every other file, its own sha256 stands for all of them:
/// ``identity``.
public struct ModelBundle: Sendable {
    /// Name of the file that describes the others.
    public static let file = "bundle.json"
    /// Name of the file of class names, one a line.
    public static let labels = "labels.txt"
    /// Folder of the golden images.
    public static let selfTest = "selftest"
    /// Name of the file that says what the model is for, and what not.
    public static let card = "MODEL_CARD.md"
    /// The only kind of model that is read here.
    public static let format = "coreml"

    /// sha256 of bundle.json itself.
    public let identity: String
    /// Name of the network.
    public let model: String
    /// "fp32", "fp16" or "int8".
    public let precision: String
    /// Name of the model's package, a folder.
    public let artefact: String
    /// Of the package: over the sorted paths and hashes of its files, as the export states it.
    public let sha256: String
    /// Size of the package's files together.
    public let bytes: Int
    /// Of the weights it was exported from.
    public let weightsSha256: String
    /// In the order of the logits.
    public let classes: [String]
    /// Name of the input, float32 [1, 3, S, S] in [0, 1].
    public let inputName: String
    /// Name of the output, one logit a class.
    public let outputName: String
    /// From a photo to the input.
    public let preprocessing: PreprocessSpec
    /// From logits to the answer.
    public let operatingPoint: OperatingPoint
    /// Whether the file passed its gate when it was exported; if not, the app must say so.
    public let verified: Bool
    /// "passed", "failed" or "not run".
    public let gateStatus: String
    /// Why it did not pass.
    public let gateReasons: [String]
    /// Of the photos behind the weights.
    public let licence: String
    /// To be shown in the app.
    public let intendedUse: String
    /// Whose logits the self-test holds: "torch", or "export" for the file's own first answers.
    public let reference: String
    /// Largest difference of a logit, as a share of its picture's scale.
    public let maxRelative: Double
    /// At least one.
    public let images: [GoldenImage]
    /// JPEG photos for the platform's decoder; nil in a bundle without.
    public let photos: GoldenPhotos?
    /// Path and sha256 of every other file of the bundle, in the order of bundle.json.
    public let files: [(path: String, sha256: String)]

    /// Read bundle.json and check that it fits together; no other file is read.
    public static func load(_ assets: some AssetReader) throws(BundleError) -> ModelBundle {
        try ModelBundle(json: read(assets, file))
    }

    /// As ``load(_:)``, from the bytes of bundle.json.
    public init(json: [UInt8]) throws(BundleError) {
        let top: Fields
        do {
            top = try Fields(Json.parse(json), ModelBundle.file)
        } catch let error as JsonError {
            throw BundleError("\(ModelBundle.file): \(error)")
        } catch {
            throw error as? BundleError ?? BundleError("\(ModelBundle.file): \(error)")
        }
        identity = Sha256.of(json)
        _ = try top.whole("schema", 1...1)
        model = try top.text("model")
        _ = try top.text("format", among: [ModelBundle.format])
        precision = try top.text("precision", among: ["fp32", "fp16", "int8"])
        artefact = try top.text("artefact")
        sha256 = try top.sha256("sha256")
        bytes = try top.whole("bytes", 1...Int(Int32.max))
        // A second file is for Android alone; bundles of earlier versions lack it.
        if top.has("fallback"), try top.any("fallback") != .null {
            throw top.wrong("fallback", "null is all that is known here")
        }
        weightsSha256 = try top.text("weights_sha256")
        classes = try ModelBundle.classes(top)
        preprocessing = try PreprocessSpec(top.object("preprocessing"))
        let side = preprocessing.imageSize
        _ = try top.whole("image_size", side...side)
        let input = try top.object("input")
        inputName = try input.text("name")
        _ = try input.text("layout", among: ["NCHW"])
        try input.refuseOthers()
        let output = try top.object("output")
        outputName = try output.text("name")
        try output.refuseOthers()
        operatingPoint = try OperatingPoint(top.object("operating_point"), classes: classes)
        let gate = try top.object("gate")
        gateStatus = try gate.text("status", among: ["passed", "failed", "not run"])
        gateReasons = try gate.texts("reasons")
        try gate.refuseOthers()
        verified = try top.truth("verified")
        if verified != (gateStatus == "passed") {
            throw top.wrong("verified", "the gate's status says otherwise")
        }
        licence = try top.text("licence")
        intendedUse = try top.text("intended_use")
        let selfTest = try top.object(ModelBundle.selfTest)
        reference = try selfTest.text("reference", among: ["torch", "export"])
        maxRelative = try selfTest.positive("max_relative")
        var images: [GoldenImage] = []
        for entry in try selfTest.objects("images", each: "image") {
            images.append(try GoldenImage(entry, classes: classes.count))
        }
        self.images = images
        photos = selfTest.has("photos") ? try GoldenPhotos(selfTest.object("photos")) : nil
        try selfTest.refuseOthers()
        files = try ModelBundle.files(top.object("files"))
        try top.refuseOthers()
        try checkListed(top)
    }

    /// Read a file of the bundle and hold it against its sha256.
    ///
    /// - Parameter path: as in ``files``.
    public func read(_ assets: some AssetReader, _ path: String) throws(BundleError) -> [UInt8] {
        guard let wanted = hash(path) else {
            throw BundleError("\(ModelBundle.file): no file \(path); bundle again")
        }
        let content = try ModelBundle.read(assets, path)
        guard Sha256.of(content) == wanted else {
            throw BundleError(
                "\(path): not the file that was bundled (sha256 differs); bundle again")
        }
        return content
    }

    /// Read every file of the bundle once, the model's package too, and hold it against its sha256.
    ///
    /// - Throws: names the first file that is missing or another.
    public func checkFiles(_ assets: some AssetReader) throws(BundleError) {
        var packageBytes = 0
        for (path, _) in files {
            let content = try read(assets, path)
            if path == ModelBundle.labels, content != Array(classes.map { $0 + "\n" }.joined().utf8)
            {
                throw BundleError("\(path): not the classes of \(ModelBundle.file); bundle again")
            }
            packageBytes += isOfPackage(path) ? content.count : 0
        }
        if packageBytes != bytes {
            throw BundleError("\(ModelBundle.file): field 'bytes': the model has \(packageBytes)")
        }
    }

    private func isOfPackage(_ path: String) -> Bool {
        path.hasPrefix(artefact + "/")
    }

    private func hash(_ path: String) -> String? {
        files.first { $0.path == path }?.sha256
    }

    /// Every file that fields name must be in the list, under the same sha256.
    private func checkListed(_ top: Fields) throws(BundleError) {
        let package = files.filter { isOfPackage($0.path) }
        if package.isEmpty { throw top.wrong("files", "\(artefact) is missing") }
        if ModelBundle.packageHash(package, under: artefact) != sha256 {
            throw top.wrong("sha256", "the files of \(artefact) say otherwise")
        }
        if hash(ModelBundle.labels) == nil {
            throw top.wrong("files", "\(ModelBundle.labels) is missing")
        }
        var named = images.flatMap { [($0.file, $0.sha256), ($0.tensor, $0.tensorSha256)] }
        named += (photos?.images ?? []).flatMap {
            [($0.file, $0.sha256), ($0.tensor, $0.tensorSha256)]
        }
        for (name, wanted) in named where hash("\(ModelBundle.selfTest)/\(name)") != wanted {
            throw top.wrong(
                "files", "\(ModelBundle.selfTest)/\(name) is missing or has another sha256")
        }
    }
}
