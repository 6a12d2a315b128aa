/** Finds shared libraries on the class path, unpacks them once and opens them. */
@NullMarked
package dev.tarn.ffm.load;

import org.jspecify.annotations.NullMarked;
