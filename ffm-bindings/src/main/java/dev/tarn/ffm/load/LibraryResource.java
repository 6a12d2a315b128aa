package dev.tarn.ffm.load;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;

/**
 * A shared library on the class path, identified by its content.
 *
 * <p>Identity is size and CRC-32, because a jar's directory states both: a start needs neither to inflate the library nor to
 * hash it. For OpenBLAS (38 MB) that is 6 ms instead of 170 to 290 ms with SHA-256. The checksum finds damage and old versions;
 * against malice stand the permissions of the folder, see {@link LibraryCache}.
 *
 * @param fileName last part of the resource's path
 * @param size bytes
 */
record LibraryResource(URL url, String fileName, long size, long crc) {

    static LibraryResource of(URL url) throws IOException {
        String fileName = url.getPath().substring(url.getPath().lastIndexOf('/') + 1);
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        try (InputStream content = connection.getInputStream()) {
            if (connection instanceof JarURLConnection jar) {
                ZipEntry entry = jar.getJarEntry();
                if (entry.getSize() >= 0 && entry.getCrc() >= 0) {
                    return new LibraryResource(url, fileName, entry.getSize(), entry.getCrc());
                }
            }
            var checked = new CheckedInputStream(content, new CRC32());
            long size = checked.transferTo(OutputStream.nullOutputStream());
            return new LibraryResource(
                    url, fileName, size, checked.getChecksum().getValue());
        }
    }

    /** Name of the folder that holds this content and no other. */
    String key() {
        return fileName + "-" + size + "-" + HexFormat.of().toHexDigits((int) crc);
    }
}
