/** Recordings of runs by JDK Flight Recorder, and where their time went. */
@NullMarked
package dev.tarn.profile;

import org.jspecify.annotations.NullMarked;
