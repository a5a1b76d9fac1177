package org.hierattn.core;

/** One picture of the self-test: what it must become, and what the model must answer. */
public final class GoldenImage {
    /** Name of the PNG in the bundle's folder selftest. */
    public final String file;
    /** Of the PNG. */
    public final String sha256;
    /** Name of the file of bytes [S, S, 3] that preprocessing must make of it. */
    public final String tensor;
    /** Of that file. */
    public final String tensorSha256;
    /** Why the picture is there. */
    public final String what;
    /** One a class, all finite. */
    public final double[] logits;
    /** What a difference is a share of; more than 0. */
    public final double scale;

    private GoldenImage(Fields fields, int classes) throws BundleException {
        file = fields.text("file");
        sha256 = fields.sha256("sha256");
        tensor = fields.text("tensor");
        tensorSha256 = fields.sha256("tensor_sha256");
        what = fields.text("what");
        logits = fields.numbers("logits", classes);
        scale = fields.number("scale");
        if (!(scale > 0)) {
            throw fields.wrong("scale", "more than 0 is needed");
        }
    }

    static GoldenImage parse(Fields fields, int classes) throws BundleException {
        return new GoldenImage(fields, classes);
    }
}
