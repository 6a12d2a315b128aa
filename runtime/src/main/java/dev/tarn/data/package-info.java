/** Labelled images: readers, preprocessing, and the loader that stages batches off the heap. */
@NullMarked
package dev.tarn.data;

import org.jspecify.annotations.NullMarked;
