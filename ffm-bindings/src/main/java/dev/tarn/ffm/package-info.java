/** Native libraries as Java: loading, symbols, typed calls. The only code with native access. */
@NullMarked
package dev.tarn.ffm;

import org.jspecify.annotations.NullMarked;
