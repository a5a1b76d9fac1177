package org.hierattn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.graphics.BitmapFactory;
import android.graphics.BitmapRegionDecoder;
import android.os.Handler;
import android.widget.TextView;
import java.io.File;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Locale;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** The first screen from its start to an answer, with stand-ins for Android and its network. */
public class MainActivityTest {
    private MainActivity window;

    @Before
    public void freshProcess() throws Exception {
        Locale.setDefault(Locale.ENGLISH);
        new File("private/selftest-record.json").delete();
        for (Class<?> one : new Class<?>[] {Engine.class, PhotoSession.class}) {
            Field instance = one.getDeclaredField("instance");
            instance.setAccessible(true);
            instance.set(null, null);
        }
        Runtime.offset = 0;
        BitmapFactory.decoded = 0;
        BitmapRegionDecoder.decoded = 0;
        Activity.picture = Files.readAllBytes(
                new File(System.getProperty("hierattn.golden"), "photo_420.jpg").toPath());
        window = open();
    }

    @After
    public void english() {
        Locale.setDefault(Locale.ENGLISH);
    }

    private static MainActivity open() {
        MainActivity opened = new MainActivity();
        opened.onCreate(null);
        opened.onStart();
        return opened;
    }

    private static String said(Activity screen, int id) {
        return String.valueOf(((TextView) screen.findViewById(id)).getText());
    }

    private void waitFor(Engine.State state) {
        while (Engine.of(window).state() != state) {
            assertTrue(String.valueOf(Engine.of(window).reason()), Handler.runNext());
        }
        Engine.of(window).tell();
        settle();
    }

    /** Run all that is posted up to a mark behind it. */
    private void settle() {
        final boolean[] done = {false};
        Engine.of(window).run(new Runnable() {
            @Override
            public void run() {
                Engine.of(window).onScreen(new Runnable() {
                    @Override
                    public void run() {
                        done[0] = true;
                    }
                });
            }
        });
        while (!done[0]) {
            assertTrue(Handler.runNext());
        }
        final boolean[] told = {false};
        Engine.of(window).onScreen(new Runnable() {
            @Override
            public void run() {
                told[0] = true;
            }
        });
        while (!told[0]) {
            assertTrue(Handler.runNext());
        }
    }

    private void ask() {
        PhotoSession.of(window).lookAt(null);
        settle();
    }

    @Test
    public void theSelfTestTakesBothWaysOfAPhotoBeforeAnyAnswer() {
        assertFalse(window.findViewById(R.id.choose).isEnabled());
        waitFor(Engine.State.READY);
        assertTrue(window.findViewById(R.id.choose).isEnabled());
        assertEquals(4, BitmapFactory.decoded);
        assertTrue(BitmapRegionDecoder.decoded >= 3 * 4);
        String state = said(window, R.id.state);
        assertTrue(state, state.contains("from 10 PNG pictures"));
        assertTrue(state, state.contains("4 JPEG photos, to within 8 of 255 levels"));
        assertTrue(state, state.contains("WebP, HEIC and AVIF were not tested"));
    }

    @Test
    public void aPhotoIsAnswered() {
        waitFor(Engine.State.READY);
        ask();
        assertTrue(window.findViewById(R.id.melanoma_card).isShown());
        assertTrue(window.findViewById(R.id.headline).isShown());
        assertFalse(window.findViewById(R.id.message).isShown());
    }

    @Test
    public void aRefusalIsInTheUsersLanguage() {
        waitFor(Engine.State.READY);
        Activity.picture = Arrays.copyOf(Activity.picture, 500);
        ask();
        assertEquals("This photo cannot be used: its file is damaged or cut off",
                said(window, R.id.message));
        Locale.setDefault(Locale.GERMANY);
        ask();
        assertEquals("Dieses Foto kann nicht verwendet werden: die Datei ist besch\u00e4digt oder "
                + "abgeschnitten", said(window, R.id.message));
        assertFalse(window.findViewById(R.id.melanoma_card).isShown());
        byte[] wide = new byte[80];
        java.nio.ByteBuffer.wrap(wide).putLong(0x89504E470D0A1A0AL).putInt(13).putInt(0x49484452)
                .putInt(178956970).putInt(1).putInt(0x08020000);
        java.util.zip.CRC32 sum = new java.util.zip.CRC32();
        sum.update(wide, 12, 17);
        java.nio.ByteBuffer.wrap(wide).putInt(29, (int) sum.getValue());
        Activity.picture = wide;
        ask();
        assertEquals("Dieses Foto kann nicht verwendet werden: es ist 178956970 Pixel breit; "
                + "gelesen werden h\u00f6chstens 65535. W\u00e4hlen Sie eine kleinere Kopie",
                said(window, R.id.message));
    }

    @Test
    public void aPhoneThatAnswersOtherwiseIsRefusedInTheUsersLanguage() {
        Runtime.offset = 1000;
        Locale.setDefault(Locale.GERMANY);
        waitFor(Engine.State.REFUSED);
        String state = said(window, R.id.state);
        assertTrue(state, state.startsWith("Selbsttest nicht bestanden: "));
        assertTrue(state, state.contains("exact.png: eine Antwort liegt um "));
        assertFalse(window.findViewById(R.id.choose).isEnabled());
        ask();
        assertFalse(window.findViewById(R.id.melanoma_card).isShown());
        String message = said(window, R.id.message);
        assertTrue(message, message.startsWith("Das Netz kann nicht verwendet werden: exact.png"));
    }

    @Test
    public void aWindowThatGoesLeavesTheOtherAndIsNotToldAnyMore() {
        MainActivity second = open();
        waitFor(Engine.State.READY);
        assertEquals(said(window, R.id.state), said(second, R.id.state));
        window.onStop();
        window.onDestroy();
        ask();
        assertTrue(second.findViewById(R.id.headline).isShown());
        assertFalse("told although it was stopped", window.findViewById(R.id.headline).isShown());
        assertTrue(PhotoSession.of(window).answer() != null);
        assertTrue(Engine.of(window).isListenedTo());
        second.onStop();
        assertFalse("a window leaked", Engine.of(window).isListenedTo());
        second.onDestroy();
        assertTrue("the photo stays in memory", PhotoSession.of(window).answer() == null);
    }
}
