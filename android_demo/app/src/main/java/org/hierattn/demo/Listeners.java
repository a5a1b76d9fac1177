package org.hierattn.demo;

import java.util.ArrayList;
import java.util.List;

/**
 * Who wants to be told of changes; several windows of the app may at once. One may come or go while
 * others are told. Used from one thread.
 */
final class Listeners {
    private final List<Runnable> all = new ArrayList<Runnable>();

    void add(Runnable listener) {
        if (!all.contains(listener)) {
            all.add(listener);
        }
    }

    /** Leave a listener alone from now on; others, such as a second window's, stay. */
    void remove(Runnable listener) {
        all.remove(listener);
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    void tell() {
        for (Runnable listener : new ArrayList<Runnable>(all)) {
            if (all.contains(listener)) {
                listener.run();
            }
        }
    }
}
