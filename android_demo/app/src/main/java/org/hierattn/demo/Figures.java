package org.hierattn.demo;

import java.text.NumberFormat;
import java.util.Locale;

/** Numbers as people of a language write them, in its digits. */
final class Figures {
    private Figures() {}

    /** One decimal, rounded down at the top: 99.96 % is not 100 %. */
    static String percent(double share) {
        return percent(share, Locale.getDefault());
    }

    static String percent(double share, Locale locale) {
        NumberFormat format = NumberFormat.getPercentInstance(locale);
        format.setMinimumFractionDigits(1);
        format.setMaximumFractionDigits(1);
        return format.format(Math.min(share, share < 1 ? 0.999 : 1));
    }

    /** Without decimals. */
    static String whole(double value) {
        return whole(value, Locale.getDefault());
    }

    static String whole(double value, Locale locale) {
        return NumberFormat.getIntegerInstance(locale).format(value);
    }
}
