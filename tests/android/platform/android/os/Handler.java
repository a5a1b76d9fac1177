package android.os;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Stands for Android's: the test's thread is the main one, and runs what was posted. */
public class Handler {
    private static final BlockingQueue<Runnable> POSTED = new LinkedBlockingQueue<Runnable>();

    public Handler(Looper looper) {}

    public boolean post(Runnable task) {
        return POSTED.add(task);
    }

    /** Run what is posted next; false where nothing came for a minute. */
    public static boolean runNext() {
        try {
            Runnable task = POSTED.poll(60, TimeUnit.SECONDS);
            if (task != null) {
                task.run();
            }
            return task != null;
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }
}
