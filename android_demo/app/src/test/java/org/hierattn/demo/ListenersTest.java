package org.hierattn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

/** Two windows of the app listen side by side. */
public class ListenersTest {
    private final Listeners listeners = new Listeners();
    private final StringBuilder told = new StringBuilder();

    private Runnable named(final String name) {
        return new Runnable() {
            @Override
            public void run() {
                told.append(name);
            }
        };
    }

    @Test
    public void oneWindowThatGoesLeavesTheOther() {
        Runnable first = named("a");
        Runnable second = named("b");
        assertTrue(listeners.isEmpty());
        listeners.add(first);
        listeners.add(second);
        listeners.tell();
        listeners.remove(first);
        listeners.tell();
        assertEquals("abb", told.toString());
        assertFalse(listeners.isEmpty());
        listeners.remove(second);
        listeners.remove(second);
        listeners.tell();
        assertEquals("abb", told.toString());
        assertTrue(listeners.isEmpty());
    }

    @Test
    public void aWindowThatStartsTwiceIsToldOnce() {
        Runnable window = named("a");
        listeners.add(window);
        listeners.add(window);
        listeners.tell();
        assertEquals("a", told.toString());
    }

    @Test
    public void aWindowMayGoOrComeWhileOthersAreTold() {
        final Runnable last = named("c");
        listeners.add(new Runnable() {
            @Override
            public void run() {
                told.append("a");
                listeners.remove(this);
                listeners.remove(last);
                listeners.add(named("d"));
            }
        });
        listeners.add(named("b"));
        listeners.add(last);
        listeners.tell();
        assertEquals("ab", told.toString());
        listeners.tell();
        assertEquals("abbd", told.toString());
    }
}
