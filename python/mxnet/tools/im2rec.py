"""Makes lists of images, and RecordIO files of the images in lists.

    python -m mxnet.tools.im2rec --list --recursive --train-ratio 0.9 animals photos/
    python -m mxnet.tools.im2rec --resize 256 --quality 90 --num-thread 4 animals photos/

The first makes the lists ``animals_train.lst`` and ``animals_val.lst`` of the images below ``photos``, the second a
``.rec`` and an ``.idx`` file of each list whose name begins with ``animals``. A line of a list is a number, one or more
labels and a path below the folder, with tabs between them.
"""
import argparse
import glob
import os
import random
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .. import recordio
from .._opencv import opencv

__all__ = ["find_images", "main", "make_lists", "make_record", "read_list"]

_AHEAD = 32  # images of each thread that are encoded ahead of writing


# -- lists -----------------------------------------------------------------------------------------

def find_images(root, recursive, extensions):
    """Pairs of path below `root` and label of all images there.

    With `recursive` a label is the number of the folder that holds the image, in the order of their names; otherwise
    only `root` itself is looked through, and all labels are 0.
    """
    found, labels = [], {}
    for folder, folders, files in os.walk(root, followlinks=True):
        folders.sort()
        for name in sorted(files):
            if os.path.splitext(name)[1].lower() in extensions:
                label = labels.setdefault(os.path.relpath(folder, root), len(labels))
                found.append((os.path.relpath(os.path.join(folder, name), root), label))
        if not recursive:
            break
    return found, labels


def _write_list(path, numbered):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{number}\t{float(label):f}\t{name}\n" for number, (name, label) in numbered)


def make_lists(given):
    """Writes the lists that the options ask for; returns their paths."""
    images, labels = find_images(given.root, given.recursive, given.exts)
    if not images:
        raise ValueError(f"there are no images {', '.join(given.exts)} in '{given.root}'"
                         f"{'' if given.recursive else '; --recursive looks into its folders'}")
    if given.recursive:
        for folder, label in labels.items():
            print(folder, label)
    numbered = list(enumerate(images))
    if given.shuffle:
        random.Random(100).shuffle(numbered)
    written = []
    size = -(-len(numbered) // given.chunks)
    for chunk in range(given.chunks):
        part = numbered[chunk * size:(chunk + 1) * size]
        prefix = given.prefix + (f"_{chunk}" if given.chunks > 1 else "")
        test, train = int(len(part) * given.test_ratio), int(len(part) * given.train_ratio)
        pieces = {"_test": part[:test], "_train": part[test:test + train], "_val": part[test + train:]}
        if given.train_ratio == 1:
            pieces = {"": part}
        for name, piece in pieces.items():
            if piece or not name:
                _write_list(f"{prefix}{name}.lst", piece)
                written.append(f"{prefix}{name}.lst")
    return written


def read_list(path):
    """Triples of number, labels and path. ValueError for a line that is none."""
    entries = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            fields = line.rstrip("\n").split("\t")
            if fields == [""]:
                continue
            try:
                if len(fields) < 3:
                    raise ValueError
                entries.append((int(float(fields[0])), [float(label) for label in fields[1:-1]], fields[-1]))
            except ValueError:
                raise ValueError(f"'{path}', line {number}: expected a number, labels and a path with tabs between "
                                 f"them, got {line.rstrip()!r}") from None
    return entries


# -- records ---------------------------------------------------------------------------------------

def _shaped(image, given):
    if given.center_crop and image.shape[0] != image.shape[1]:
        side = min(image.shape[:2])
        y, x = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        image = image[y:y + side, x:x + side]
    if given.resize:
        height, width = image.shape[:2]
        size = ((given.resize, height * given.resize // width) if height > width else
                (width * given.resize // height, given.resize))
        image = opencv().resize(image, size)
    return image


def _packed(entry, given):
    """The record of an image. OSError where there is no image that can be read."""
    number, labels, name = entry
    path = os.path.join(given.root, name)
    label = np.array(labels, np.float32) if given.pack_label and len(labels) > 1 else labels[0]
    header = recordio.IRHeader(0, label, number, 0)
    if given.pass_through:
        with open(path, "rb") as file:
            return recordio.pack(header, file.read())
    image = opencv().imread(path, given.color)
    if image is None:
        raise OSError(f"'{path}' is no image that can be read")
    return recordio.pack_img(header, _shaped(image, given), given.quality, given.encoding)


def make_record(path, given):
    """Writes the records of a list beside it, with their index; returns how many, and how many images were left out."""
    entries = read_list(path)
    base = os.path.splitext(path)[0]
    file = recordio.MXIndexedRecordIO(f"{base}.idx", f"{base}.rec", "w")
    written = left_out = 0
    with ThreadPoolExecutor(max(1, given.num_thread)) as threads:
        waiting, coming = deque(), iter(entries)
        while True:
            for entry in coming:
                waiting.append((entry, threads.submit(_packed, entry, given)))
                if len(waiting) >= _AHEAD * max(1, given.num_thread):
                    break
            if not waiting:
                break
            entry, packed = waiting.popleft()
            try:
                file.write_idx(entry[0], packed.result())
                written += 1
            except OSError as error:
                print(f"im2rec: {error}; it is left out", file=sys.stderr)
                left_out += 1
    file.close()
    return written, left_out


# -- the program -----------------------------------------------------------------------------------

def _parser():
    parser = argparse.ArgumentParser(prog="python -m mxnet.tools.im2rec",
                                     description="Make lists of images, or RecordIO files of the images in lists.")
    parser.add_argument("prefix", help="beginning of the names of lists and RecordIO files")
    parser.add_argument("root", help="folder of the images")
    lists = parser.add_argument_group("lists")
    lists.add_argument("--list", action="store_true", help="make lists instead of RecordIO files")
    lists.add_argument("--exts", nargs="+", default=[".jpeg", ".jpg", ".png"], help="endings of the images")
    lists.add_argument("--chunks", type=int, default=1, help="number of parts")
    lists.add_argument("--train-ratio", type=float, default=1.0, help="share of the images to train on")
    lists.add_argument("--test-ratio", type=float, default=0.0, help="share of the images to test on")
    lists.add_argument("--recursive", action="store_true", help="look into folders; each one is a class")
    lists.add_argument("--no-shuffle", dest="shuffle", action="store_false", help="keep the order of names")
    records = parser.add_argument_group("RecordIO files")
    records.add_argument("--pass-through", action="store_true", help="take the files as they are")
    records.add_argument("--resize", type=int, default=0, help="length of the shorter side")
    records.add_argument("--center-crop", action="store_true", help="cut to the square in the middle")
    records.add_argument("--quality", type=int, default=95, help="quality of JPEG 1 to 100, compression of PNG 0 to 9")
    records.add_argument("--num-thread", type=int, default=1, help="number of threads")
    records.add_argument("--color", type=int, default=1, choices=[-1, 0, 1], help="1: coloured, 0: grey, -1: as it is")
    records.add_argument("--encoding", default=".jpg", choices=[".jpg", ".png"], help="format of the images")
    records.add_argument("--pack-label", action="store_true", help="keep all labels where there are several")
    return parser


def main(arguments=None):
    """The program."""
    parser = _parser()
    given = parser.parse_args(arguments)
    ratios = (given.train_ratio, given.test_ratio)
    if given.chunks < 1 or min(ratios) < 0 or sum(ratios) > 1 + 1e-9:
        parser.error("--chunks must be positive, and --train-ratio and --test-ratio parts that make no more than 1")
    try:
        if given.list:
            print(*make_lists(given), sep="\n")
            return
        lists = sorted(glob.glob(f"{glob.escape(given.prefix)}*.lst"))
        if not lists:
            raise ValueError(f"there is no list '{given.prefix}*.lst'; make one with --list")
        for path in lists:
            written, left_out = make_record(path, given)
            print(f"{os.path.splitext(path)[0]}.rec: {written} images" + (f", {left_out} left out" if left_out else ""))
    except (OSError, ValueError) as error:
        parser.exit(1, f"im2rec: {error}\n")


if __name__ == "__main__":
    main()
