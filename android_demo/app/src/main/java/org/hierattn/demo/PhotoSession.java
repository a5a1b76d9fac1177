package org.hierattn.demo;

import android.content.Context;
import android.net.Uri;
import org.hierattn.core.ClassifierException;
import org.hierattn.core.Decision;
import org.hierattn.core.ModelBundle;
import org.hierattn.core.NotTestedException;
import org.hierattn.core.Reason;
import org.hierattn.core.UnreadableImageException;

/**
 * The photo that is being looked at and what came out: in memory only, and across a turn of the
 * phone. Its fields are touched on the main thread only.
 */
final class PhotoSession {
    private static PhotoSession instance;

    private final Context context;
    private final Engine engine;
    /** Counts photos, so that an answer that comes late finds that it is no longer wanted. */
    private int current;
    private boolean looking;
    private Answer answer;
    private String problem;

    private PhotoSession(Context context) {
        this.context = context;
        engine = Engine.of(context);
    }

    static synchronized PhotoSession of(Context context) {
        if (instance == null) {
            instance = new PhotoSession(context.getApplicationContext());
        }
        return instance;
    }

    boolean looking() {
        return looking;
    }

    /** Null where there is none. */
    Answer answer() {
        return answer;
    }

    /** One line for the screen, or null. */
    String problem() {
        return problem;
    }

    /** Forget photo and answer. */
    void forget() {
        set(false, null, null);
    }

    /** Say what went wrong before there was a photo. */
    void fail(String line) {
        set(false, null, line);
    }

    /** Read a picture and ask the network. */
    void lookAt(final Uri picture) {
        final int mine = set(true, null, null);
        engine.prepare();
        engine.run(new Runnable() {
            @Override
            public void run() {
                Answer found = null;
                String wrong = null;
                try {
                    found = answerTo(picture);
                } catch (UnreadableImageException error) {
                    wrong = sentence(R.string.photo_refused, Reasons.of(error));
                } catch (NotTestedException error) {
                    wrong = sentence(R.string.self_test_error, whyShut(error));
                } catch (ClassifierException error) {
                    wrong = sentence(R.string.self_test_error, Reasons.of(error));
                } catch (OutOfMemoryError error) {
                    wrong = sentence(R.string.self_test_error, Reasons.of(error));
                } catch (RuntimeException error) {
                    // Runtimes throw these from native code; the app must live to say so.
                    wrong = sentence(R.string.self_test_error, Reasons.of(error));
                } finally {
                    CaptureProvider.forget(context);
                }
                tell(mine, found, wrong);
            }
        });
    }

    private String sentence(int words, Reason reason) {
        return context.getString(words, Words.of(context, reason));
    }

    private Reason whyShut(NotTestedException error) {
        Reason known = engine.reason();
        return known != null ? known : Reason.of(Reason.Kind.NOT_TESTED, error.getMessage());
    }

    /** On the engine's thread. */
    private Answer answerTo(Uri picture)
            throws UnreadableImageException, NotTestedException, ClassifierException {
        if (engine.gate() == null) {
            throw new NotTestedException(String.valueOf(engine.reason()));
        }
        long began = System.nanoTime();
        ModelBundle bundle = engine.bundle();
        byte[] pixels = new PhotoReader(context, bundle.preprocessing).read(picture);
        Decision decision = engine.gate().decide(pixels);
        return new Answer(pixels, bundle.imageSize, decision,
                engine.classifier().lastRunNanos() / 1e6, (System.nanoTime() - began) / 1e6);
    }

    private void tell(final int photo, final Answer found, final String wrong) {
        engine.onScreen(new Runnable() {
            @Override
            public void run() {
                if (photo == current) {
                    set(false, found, wrong);
                }
            }
        });
    }

    private int set(boolean nowLooking, Answer newAnswer, String newProblem) {
        looking = nowLooking;
        answer = newAnswer;
        problem = newProblem;
        current++;
        engine.tell();
        return current;
    }
}
