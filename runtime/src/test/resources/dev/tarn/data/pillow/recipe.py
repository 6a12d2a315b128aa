"""Writes the pictures and checksums in this folder; run with Pillow 12.3.0 and NumPy.

resize.txt: width and height of a source, the box that is cut out of it (left, top, right, bottom), width and height of the result,
and the CRC-32 of the result. Byte i of a source, in the order row, column, channel, is the upper byte of i * 2654435761 mod 2^32.
decode.txt: a picture, width and height of what is decoded from it, and its CRC-32. Results are summed plane by plane.
"""

import random
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps


def crc(image):
    return "%08x" % zlib.crc32(np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1)).tobytes())


def source(width, height):
    places = np.arange(width * height * 3, dtype=np.uint64)
    values = ((places * 2654435761) % 2**32 >> 24).astype(np.uint8)
    return Image.fromarray(values.reshape(height, width, 3))


def resize():
    draw = random.Random(1)
    shapes = [(1, 1, 5, 3), (7, 1, 3, 4), (1, 9, 2, 2), (500, 3, 7, 300), (256, 256, 256, 256), (40, 30, 40, 7)]
    while len(shapes) < 200:
        shapes.append(tuple(draw.randint(1, 300) for _ in range(4)))
    with open("resize.txt", "w") as out:
        for i, (width, height, columns, rows) in enumerate(shapes):
            left, top = draw.randrange(width), draw.randrange(height)
            box = (left, top, draw.randint(left + 1, width), draw.randint(top + 1, height))
            if i % 2 == 0:
                box = (0, 0, width, height)
            result = source(width, height).crop(box).resize((columns, rows), Image.BILINEAR)
            print(width, height, *box, columns, rows, crc(result), file=out)


def scene(bands):
    y, x = np.mgrid[0:29, 0:41]
    planes = [127 + 80 * np.sin(x / (7 + 3 * k) + k) + 40 * np.cos(y / (5 + k)) + 9 * (x * y % 5) for k in range(bands)]
    return Image.fromarray(np.stack(planes, -1).clip(0, 255).astype(np.uint8))


def decode():
    rgb = scene(3)
    turned = Image.Exif()
    turned[0x112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pictures = {
        "444.jpg": (rgb, {"subsampling": 0}),
        "422.jpg": (rgb, {"subsampling": 1}),
        "420.jpg": (rgb, {"subsampling": 2}),
        "progressive.jpg": (rgb, {"progressive": True}),
        "profile.jpg": (rgb, {"icc_profile": profile}),
        "turned.jpg": (rgb, {"exif": turned}),
        "grey.jpg": (rgb.convert("L"), {}),
        "cmyk.jpg": (rgb.convert("CMYK"), {}),
        "rgb.png": (rgb, {}),
        "alpha.png": (scene(4), {}),
        "grey.png": (rgb.convert("L"), {}),
        "grey-alpha.png": (scene(2), {}),
        "two.png": (rgb.convert("1"), {}),
        "palette8.png": (rgb.quantize(200), {}),
        "palette4.png": (rgb.quantize(13), {}),
        "palette2.png": (rgb.quantize(3), {}),
    }
    with open("decode.txt", "w") as out:
        for name, (image, options) in pictures.items():
            image.save(name, **options)
            result = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
            print(name, *result.size, crc(result), file=out)


resize()
decode()
