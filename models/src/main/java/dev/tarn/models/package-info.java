/** Architectures, each a readable file. */
@NullMarked
package dev.tarn.models;

import org.jspecify.annotations.NullMarked;
