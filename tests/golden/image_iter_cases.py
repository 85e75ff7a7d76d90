"""Iterators over images, run with MXNet 1.9.1 (see record_image_iters.py) and with this package."""
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
FILES = HERE / "files"

BASIC = {"data_shape": (3, 8, 8), "batch_size": 3, "preprocess_threads": 1, "verbose": False}
ONE = {"batch_size": 1}
# The name of the iterator, the file, and what is given besides BASIC.
CASES = {
    "plain": ("ImageRecordIter", "images", {}),
    "index": ("ImageRecordIter", "images", {"path_imgidx": "images.idx"}),
    "list": ("ImageRecordIter", "images", {"path_imglist": "images.lst"}),
    "labels": ("ImageRecordIter", "labelled", {"label_width": 3}),
    "part": ("ImageRecordIter", "images", {"num_parts": 2, "part_index": 1, "path_imgidx": "images.idx"}),
    "uint8": ("ImageRecordUInt8Iter", "images", {}),
    "int8": ("ImageRecordInt8Iter", "images", {}),
    "v1": ("ImageRecordIter_v1", "images", {}),
    "uint8_v1": ("ImageRecordUInt8Iter_v1", "images", {}),
    "dtype": ("ImageRecordIter", "images", {"dtype": "uint8"}),
    "mirror": ("ImageRecordIter", "images", {"mirror": True}),
    "normalized": ("ImageRecordIter", "images", {"mean_r": 10, "mean_g": 20, "mean_b": 30, "std_r": 2, "std_g": 4,
                                                 "std_b": 8, "scale": 0.5}),
    "grey": ("ImageRecordIter", "images", {"data_shape": (1, 8, 8), "mean_r": 4, "std_r": 2}),
    "larger": ("ImageRecordIter", "images", {"data_shape": (3, 12, 12)}),
    "taller": ("ImageRecordIter", "images", {"data_shape": (3, 12, 8)}),
    "resize": ("ImageRecordIter", "images", {"resize": 10}),
    "resize_smaller": ("ImageRecordIter", "images", {"resize": 6}),
    "resize_nearest": ("ImageRecordIter", "images", {"resize": 10, "inter_method": 0}),
    "resize_cubic": ("ImageRecordIter", "images", {"resize": 10, "inter_method": 2}),
    "resize_area": ("ImageRecordIter", "images", {"resize": 5, "inter_method": 3, "data_shape": (3, 5, 5)}),
    "resize_suiting": ("ImageRecordIter", "images", {"resize": 10, "inter_method": 9}),
    "pad": ("ImageRecordIter", "images", {"resize": 10, "pad": 2, "fill_value": 7, "data_shape": (3, 14, 14)}),
    "turn": ("ImageRecordIter", "images", {"rotate": 90, "fill_value": 0}),
    "slant": ("ImageRecordIter", "images", {"rotate": 30}),
    "scale": ("ImageRecordIter", "images", {"max_random_scale": 2, "min_random_scale": 2}),
    "scale_bounded": ("ImageRecordIter", "images", {"max_random_scale": 0.5, "min_random_scale": 0.5,
                                                    "min_img_size": 8}),
    "square": ("ImageRecordIter", "images", {"max_crop_size": 6, "min_crop_size": 6, "data_shape": (3, 4, 4)}),
    "objects": ("ImageDetRecordIter", "objects", {"batch_size": 2}),
    "objects_padded": ("ImageDetRecordIter", "objects", {"label_pad_width": 20, "label_pad_value": -5.0, **ONE}),
    "objects_mirrored": ("ImageDetRecordIter", "objects", {"rand_mirror_prob": 1.0, **ONE}),
    "objects_fit": ("ImageDetRecordIter", "objects", {"resize_mode": "fit", **ONE}),
    "objects_shrink": ("ImageDetRecordIter", "objects", {"resize_mode": "shrink", "data_shape": (3, 16, 16), **ONE}),
    "objects_normalized": ("ImageDetRecordIter", "objects", {"mean_r": 10, "std_r": 2, "scale": 0.5, "resize": 6}),
}


def made(mx, name):
    """The iterator of a case."""
    kind, file, given = CASES[name]
    given = {**BASIC, **given, "path_imgrec": str(FILES / f"{file}.rec")}
    for key in ("path_imgidx", "path_imglist"):
        if key in given:
            given[key] = str(FILES / given[key])
    return getattr(mx.io, kind)(**given)


def run(mx, name):
    """Data, labels and padding of two rounds, and the descriptions."""
    iterator, data, label, pad = made(mx, name), [], [], []
    for _ in range(2):
        for batch in iterator:
            data.append(batch.data[0].asnumpy())
            label.append(batch.label[0].asnumpy())
            pad.append(batch.pad)
        iterator.reset()
    return {"data": np.array(data), "label": np.array(label), "pad": np.array(pad)}
