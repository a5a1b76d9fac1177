package org.hierattn.demo;

import android.content.Context;
import java.util.Locale;

/** Words for the short names of the usual data sets; others are shown as they are. */
final class ClassNames {
    private ClassNames() {}

    /** Such as "Melanoma (MEL)". */
    static String of(Context context, String label) {
        int words = words(label.toUpperCase(Locale.ROOT));
        return words == 0 ? label : context.getString(words) + " (" + label + ")";
    }

    private static int words(String label) {
        switch (label) {
            case "ACK":
            case "AK":
            case "AKIEC":
                return R.string.class_ack;
            case "BCC":
                return R.string.class_bcc;
            case "BKL":
                return R.string.class_bkl;
            case "DF":
                return R.string.class_df;
            case "MEL":
                return R.string.class_mel;
            case "NEV":
            case "NV":
                return R.string.class_nev;
            case "SCC":
                return R.string.class_scc;
            case "SEK":
                return R.string.class_sek;
            case "VASC":
                return R.string.class_vasc;
            default:
                return 0;
        }
    }
}
