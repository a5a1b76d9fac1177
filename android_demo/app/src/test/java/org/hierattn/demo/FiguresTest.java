package org.hierattn.demo;

import static org.junit.Assert.assertEquals;

import java.util.Locale;
import org.junit.Test;

/** Numbers in the digits and with the marks of a language. */
public class FiguresTest {
    private static String plain(String text) {
        // No-break spaces and marks of direction differ between versions of the language tables.
        return text.replace('\u00a0', ' ').replace('\u202f', ' ').replaceAll("\\p{Cf}", "");
    }

    @Test
    public void percentages() {
        assertEquals("12.3%", Figures.percent(0.1234, Locale.ENGLISH));
        assertEquals("12,3 %", plain(Figures.percent(0.1234, Locale.GERMAN)));
        assertEquals("\u0661\u0662\u066b\u0663\u066a",
                plain(Figures.percent(0.1234, Locale.forLanguageTag("ar-EG"))));
        assertEquals("\u0967\u0968.\u0969%",
                plain(Figures.percent(0.1234, Locale.forLanguageTag("hi-IN-u-nu-deva"))));
    }

    @Test
    public void nearlyAllIsNotAll() {
        assertEquals("99.9%", Figures.percent(0.99996, Locale.ENGLISH));
        assertEquals("100.0%", Figures.percent(1, Locale.ENGLISH));
        assertEquals("0.0%", Figures.percent(0, Locale.ENGLISH));
    }

    @Test
    public void wholeNumbers() {
        assertEquals("1,234", Figures.whole(1233.6, Locale.ENGLISH));
        assertEquals("1.234", Figures.whole(1233.6, Locale.GERMAN));
        assertEquals("\u0664\u0662", Figures.whole(42, Locale.forLanguageTag("ar-EG")));
    }
}
