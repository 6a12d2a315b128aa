/** Files: weights as safetensors, run folders, JSON, and writing that survives a kill. */
@NullMarked
package dev.tarn.io;

import org.jspecify.annotations.NullMarked;
