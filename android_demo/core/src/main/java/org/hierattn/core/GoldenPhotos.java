package org.hierattn.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The JPEG photos of a bundle's self-test, and how far the pixels that a platform's decoder makes of
 * them may be from Python's. Bundles of earlier versions have none.
 */
public final class GoldenPhotos {
    /** One photo. */
    public static final class Photo {
        /** Name of the JPEG in the bundle's folder selftest. */
        public final String file;
        /** Of the JPEG. */
        public final String sha256;
        /** Name of the file of bytes [S, S, 3] that Python makes of it. */
        public final String tensor;
        /** Of that file. */
        public final String tensorSha256;
        /** Why the photo is there. */
        public final String what;

        private Photo(Fields fields) throws BundleException {
            file = fields.text("file");
            sha256 = fields.sha256("sha256");
            tensor = fields.text("tensor");
            tensorSha256 = fields.sha256("tensor_sha256");
            what = fields.text("what");
        }
    }

    /** Largest difference of a byte, in levels of 255. */
    public final int maxDifference;
    /** Largest mean difference of a photo's bytes, in levels of 255. */
    public final double maxMeanDifference;
    /** Empty in a bundle of an earlier version. */
    public final List<Photo> photos;

    private GoldenPhotos(int maxDifference, double maxMeanDifference, List<Photo> photos) {
        this.maxDifference = maxDifference;
        this.maxMeanDifference = maxMeanDifference;
        this.photos = Collections.unmodifiableList(photos);
    }

    static GoldenPhotos parse(Fields selfTest) throws BundleException {
        List<Photo> photos = new ArrayList<Photo>();
        if (!selfTest.names().contains("photos")) {
            return new GoldenPhotos(0, 0, photos);
        }
        Fields fields = selfTest.object("photos");
        int number = 0;
        for (Object entry : fields.list("images")) {
            String where = ModelBundle.FILE + ": selftest: photo " + number++;
            photos.add(new Photo(new Fields(entry, where)));
        }
        if (photos.isEmpty()) {
            throw fields.wrong("images", "at least one is needed");
        }
        double mean = fields.number("max_mean_difference");
        if (!(mean >= 0)) {
            throw fields.wrong("max_mean_difference", "0 or more is needed");
        }
        return new GoldenPhotos((int) fields.whole("max_difference", 0, 255), mean, photos);
    }
}
