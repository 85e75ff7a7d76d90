"""Writes the index of a RecordIO file.

    python -m mxnet.tools.rec2idx train.rec train.idx
"""
import argparse
import os

from ..io._records import record_places

__all__ = ["main", "write_index"]


def write_index(record, index):
    """Writes where each record of the file `record` begins to the file `index`; returns how many there are.

    OSError for a file that cannot be read, ValueError for one that is damaged; `index` is then left as it was.
    """
    places = record_places(record)
    part = f"{index}.part"
    with open(part, "w") as file:
        file.writelines(f"{number}\t{place}\n" for number, place in enumerate(places))
    os.replace(part, index)
    return len(places)


def main(arguments=None):
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m mxnet.tools.rec2idx", description="Write the index of a RecordIO "
                                     "file: a line for each record with its number and its place.")
    parser.add_argument("record", help="the RecordIO file")
    parser.add_argument("index", nargs="?", help="the index to write; by default it stands beside the file as .idx")
    given = parser.parse_args(arguments)
    index = given.index or os.path.splitext(given.record)[0] + ".idx"
    try:
        print(f"{index}: {write_index(given.record, index)} records")
    except (OSError, ValueError) as error:
        parser.exit(1, f"rec2idx: {error}\n")


if __name__ == "__main__":
    main()
