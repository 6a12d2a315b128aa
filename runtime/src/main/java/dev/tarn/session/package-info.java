/** What users hold: models, training and inference sessions. */
@NullMarked
package dev.tarn.session;

import org.jspecify.annotations.NullMarked;
