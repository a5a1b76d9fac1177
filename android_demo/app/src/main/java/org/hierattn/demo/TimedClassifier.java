package org.hierattn.demo;

import org.hierattn.core.Classifier;

/** A classifier that also says how long the runtime alone took, as the benchmark on a computer. */
interface TimedClassifier extends Classifier {
    /** Nanoseconds of the runtime's last run, without turning bytes into floats. */
    long lastRunNanos();
}
