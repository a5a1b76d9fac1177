package org.hierattn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.content.res.AssetManager;
import android.view.View;
import android.view.ViewGroup;
import android.widget.ImageView;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.hierattn.core.AssetReader;
import org.hierattn.core.Decision;
import org.hierattn.core.Json;
import org.hierattn.core.JsonException;
import org.hierattn.core.JsonWriter;
import org.hierattn.core.ModelBundle;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** What the screen says of an answer, with stand-ins for Android: the app's own layout and words. */
public class AnswerViewTest {
    /** ACK 9.6 %, MEL 36.3 %, naevus 54.1 %: marked, while the headline says something else. */
    private static final float[] HIDDEN_MELANOMA = {0, 2, 2.6f};
    private static final float[] NAEVUS = {0, 0, 5};
    private static final float[] NOTHING = {0, 0, 0};

    private final Activity screen = new Activity();
    private AnswerView view;
    private ModelBundle bundle;

    @Before
    public void open() throws Exception {
        Locale.setDefault(Locale.ENGLISH);
        screen.setContentView(R.layout.activity_main);
        view = new AnswerView(screen);
        bundle = ModelBundle.load(new AssetFolder(new AssetManager()));
    }

    @After
    public void english() {
        Locale.setDefault(Locale.ENGLISH);
    }

    private Answer answer(float... logits) {
        Decision decision = Decision.of(logits, bundle.classes, bundle.operatingPoint);
        return new Answer(new byte[12], 2, decision, 1, 2);
    }

    private String said(int id) {
        return String.valueOf(((TextView) screen.findViewById(id)).getText());
    }

    @Test
    public void theMarkIsShownAndSpokenFirstWhateverTheHeadline() {
        view.show(answer(HIDDEN_MELANOMA), bundle);
        assertEquals("Marked for melanoma", said(R.id.melanoma));
        assertTrue(screen.findViewById(R.id.melanoma).isShown());
        assertTrue(said(R.id.melanoma_why).contains("36.3%, reaches 25.0%"));
        assertEquals(R.drawable.card_alert, screen.findViewById(R.id.melanoma_card).background);
        assertEquals(R.color.alert_text, ((TextView) screen.findViewById(R.id.melanoma)).colour);
        assertTrue(said(R.id.headline).contains("N\u00e4vus"));
        assertEquals("Marked for melanoma", screen.spoken.get(0));
        assertTrue(screen.spoken.contains(said(R.id.headline)));
        assertEquals("scrolled to the mark", 0, screen.findViewById(R.id.scroll).scrollY);
    }

    @Test
    public void whatIsNotMarkedReassuresNobody() {
        view.show(answer(NAEVUS), bundle);
        assertEquals("Not marked for melanoma. That says nothing reassuring", said(R.id.melanoma));
        assertTrue(screen.findViewById(R.id.melanoma).isShown());
        assertTrue(said(R.id.melanoma_why).contains("is below 25.0%"));
        assertEquals(R.drawable.card, screen.findViewById(R.id.melanoma_card).background);
        assertEquals(R.color.text, ((TextView) screen.findViewById(R.id.melanoma)).colour);
    }

    @Test
    public void notSureIsSaidAndMayBeMarkedToo() {
        view.show(answer(NOTHING), bundle);
        assertEquals("Not sure", said(R.id.headline));
        assertTrue(said(R.id.headline_why).contains("33.3%, is below 40.0%"));
        assertEquals("Marked for melanoma", said(R.id.melanoma));
    }

    @Test
    public void scoresAreInOrderAndReadOut() {
        view.show(answer(HIDDEN_MELANOMA), bundle);
        view.show(answer(NAEVUS), bundle);
        ViewGroup rows = (ViewGroup) screen.findViewById(R.id.scores);
        assertEquals(3, rows.children.size());
        assertEquals("N\u00e4vus: 93.3%", rows.children.get(0).description);
        assertEquals(933, ((ProgressBar) rows.children.get(0).findViewById(R.id.bar)).progress);
        assertTrue(rows.children.toString(), String.valueOf(rows.children.get(1).description)
                .startsWith("Actinic keratosis (ACK)"));
    }

    @Test
    public void withoutAThresholdNothingIsMarkedOrCalledUnmarked() throws Exception {
        final AssetReader assets = new AssetFolder(new AssetManager());
        bundle = ModelBundle.load(new AssetReader() {
            @Override
            public byte[] read(String path) throws java.io.IOException {
                String text = new String(assets.read(path), StandardCharsets.UTF_8);
                String without =
                        text.replaceAll("(\"melanoma_threshold\"): [0-9.]+", "$1: null");
                assertFalse("no threshold in " + path, text.equals(without));
                return without.getBytes(StandardCharsets.UTF_8);
            }
        });
        view.show(answer(HIDDEN_MELANOMA), bundle);
        assertFalse(screen.findViewById(R.id.melanoma).isShown());
        assertTrue(screen.findViewById(R.id.melanoma_why).isShown());
        assertTrue(said(R.id.melanoma_why).contains("no point at which it marks melanoma"));
    }

    @Test
    public void ofPhotosNothingIsClaimedThatWasNotTested() throws Exception {
        assertTrue(SelfTestWords.passed(screen, "r 1", bundle).contains("from 4 JPEG photos"));
        final AssetReader assets = new AssetFolder(new AssetManager());
        ModelBundle before = ModelBundle.load(new AssetReader() {
            @Override
            public byte[] read(String path) throws java.io.IOException {
                try {
                    Map<?, ?> record = (Map<?, ?>) Json.parse(
                            new String(assets.read(path), StandardCharsets.UTF_8));
                    ((Map<?, ?>) record.get("selftest")).remove("photos");
                    return JsonWriter.write(record).getBytes(StandardCharsets.UTF_8);
                } catch (JsonException error) {
                    throw new java.io.IOException(error);
                }
            }
        });
        String said = SelfTestWords.passed(screen, "r 1", before);
        assertTrue(said, said.contains("from 10 PNG pictures"));
        assertTrue(said, said.endsWith(
                "How it decodes JPEG, WebP, HEIC and AVIF photos was not tested."));
    }

    @Test
    public void whyAFileIsNotUsedIsSaidInTheUsersLanguage() throws Exception {
        Map<String, Object> half = new LinkedHashMap<String, Object>();
        half.put("precision", "fp16");
        half.put("reason", "a logit lies off");
        half.put("why", Json.parse("{\"kind\": \"LOGIT_OFF\", \"values\": [\"a.png\", 0.5, 1e-5]}"));
        assertEquals("The fp16 file is not used on this phone: a.png: an answer lies 0.500 off, at"
                + " most 1.00e-05 is allowed.", choice(half));
        Locale.setDefault(Locale.GERMAN);
        assertEquals("Die fp16-Datei wird auf diesem Ger\u00e4t nicht benutzt: a.png: eine Antwort"
                + " liegt um 0,500 daneben, erlaubt ist h\u00f6chstens 1,00e-05.", choice(half));
        half.remove("why");
        assertTrue(choice(half), choice(half).endsWith("(technisch: a logit lies off)."));
    }

    private String choice(Map<String, Object> entry) {
        return SelfTestWords.choice(screen, Collections.singletonList(entry));
    }

    @Test
    public void theSameAnswerIsSpokenOnceAndAnotherAnew() {
        Answer first = answer(HIDDEN_MELANOMA);
        view.show(first, bundle);
        int once = screen.spoken.size();
        view.show(first, bundle);
        assertEquals(once, screen.spoken.size());
        view.show(answer(NAEVUS), bundle);
        assertTrue(screen.spoken.size() > once);
    }

    @Test
    public void nothingOfAPhotoStays() {
        view.show(answer(HIDDEN_MELANOMA), bundle);
        assertTrue(((ImageView) screen.findViewById(R.id.photo)).bitmap != null);
        view.show(null, bundle);
        for (int id : new int[] {R.id.melanoma, R.id.melanoma_why, R.id.headline, R.id.scores}) {
            View part = screen.findViewById(id);
            assertFalse(part.isShown());
        }
        assertNull(((ImageView) screen.findViewById(R.id.photo)).bitmap);
    }

    @Test
    public void inGerman() {
        Locale.setDefault(Locale.GERMANY);
        view.show(answer(HIDDEN_MELANOMA), bundle);
        assertEquals("Als Melanom markiert", said(R.id.melanoma));
        assertTrue(said(R.id.melanoma_why), said(R.id.melanoma_why).contains("36,3\u00a0%"));
    }
}
