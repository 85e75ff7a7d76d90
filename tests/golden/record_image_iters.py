"""Writes small files of images, and records what the iterators of MXNet 1.9.1 make of them."""
import struct
import zlib

import image_iter_cases as cases
import numpy as np

import mxnet as mx

SIZES = [(12, 10), (8, 8), (9, 14), (20, 9), (8, 16), (10, 10), (13, 11)]
OBJECTS = [[2, 5, 0, .1, .2, .5, .6], [2, 5, 1, .3, .3, .9, .9, 2, 0, 0, .5, .5], [2, 5, 3, .25, .25, .75, .75]]


def png(image):
    """The image (height, width, 3) as a PNG file."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    height, width = image.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def write(name, labels, images):
    file = mx.recordio.MXIndexedRecordIO(str(cases.FILES / f"{name}.idx"), str(cases.FILES / f"{name}.rec"), "w")
    for i, (label, image) in enumerate(zip(labels, images)):
        file.write_idx(i, mx.recordio.pack(mx.recordio.IRHeader(0, label, i, 0), image))
    file.close()


def main():
    random = np.random.RandomState(0)
    images = [png(random.randint(0, 256, (*size, 3)).astype("uint8")) for size in SIZES]
    write("images", [2.0 * i for i in range(7)], images)
    write("labelled", [[i, i + 0.5, -i] for i in range(7)], images)
    write("objects", OBJECTS, images[3:])
    (cases.FILES / "images.lst").write_text("".join(f"{i}\t{3 * i}\t{i}.png\n" for i in range(7)))
    found = {}
    for name in cases.CASES:
        for part, value in cases.run(mx, name).items():
            found[f"{name}.{part}"] = value
    np.savez_compressed(cases.HERE / "image_iters.npz", **found)


if __name__ == "__main__":
    main()
