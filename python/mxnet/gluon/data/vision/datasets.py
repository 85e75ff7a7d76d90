"""Data sets of images: well-known ones, downloaded when they are not there, and those in files of one's own."""
import os
import warnings

import numpy as np

from .... import image, ndarray, recordio
from ....base import data_dir
from ...utils import _get_repo_file_url, download
from ..dataset import Dataset, RecordFileDataset, _DownloadedDataset

__all__ = ["CIFAR10", "CIFAR100", "MNIST", "FashionMNIST", "ImageFolderDataset", "ImageListDataset",
           "ImageRecordDataset"]


def _read_file(path):
    """The bytes of a file, unpacked if it is a gzip file."""
    with open(path, "rb") as file:
        content = file.read()
    if content[:2] != b"\x1f\x8b":
        return content
    import gzip
    import zlib
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"'{path}' is a damaged gzip file: {error}; delete it to download it again") from error


def _read_idx(path, ndim):
    """The array of bytes in an idx file, which must have `ndim` axes."""
    content = _read_file(path)
    header = 4 + 4 * ndim
    if len(content) < header or content[:4] != bytes((0, 0, 8, ndim)):
        raise ValueError(f"'{path}' is not an idx file of bytes with {ndim} axes; delete it to download it again")
    shape = tuple(np.frombuffer(content, ">u4", ndim, offset=4).tolist())
    size = int(np.prod(shape, dtype=np.int64))
    if len(content) - header != size:
        raise ValueError(f"'{path}' should hold {size} bytes of data for shape {shape}, but holds "
                         f"{len(content) - header}; delete it to download it again")
    return np.frombuffer(content, np.uint8, size, offset=header).reshape(shape)


class _ImageDataset(_DownloadedDataset):
    """A downloaded data set with files found in `_root`."""

    _namespace = None
    _url = None

    def _fetch(self, name, sha1):
        """The path of a file, downloaded when it is not there."""
        path = os.path.join(self._root, name)
        for present in (path, path.removesuffix(".gz")):
            if os.path.exists(present):
                return present
        url = self._url
        if "MXNET_GLUON_REPO" in os.environ:
            url = _get_repo_file_url(f"gluon/dataset/{self._namespace}", "")
        try:
            return download(url + name, path=path, sha1_hash=sha1, retries=1)
        except RuntimeError as error:
            raise RuntimeError(f"{type(self).__name__}: '{path}' is not there and could not be downloaded "
                               f"({error.__cause__}); put the file there, or name its folder with root=") from error


class MNIST(_ImageDataset):
    """Handwritten digits (LeCun, Cortes and Burges): 60000 to train on, 10000 to test on.

    A sample is an image, NDArray of shape (28, 28, 1) and type uint8, and its digit as int32. The
    four idx files, gzipped or not, are downloaded when they are not in `root`; files that are there
    are used as they are.

    Parameters
    ----------
    root : str
        Folder of the files; ``datasets/mnist`` below MXNET_HOME by default.
    train : bool
        Whether to take the part to train on.
    transform : callable, optional
        ``transform(image, label)`` gives the sample instead.

    Raises
    ------
    RuntimeError
        When a file is not there and cannot be downloaded.
    ValueError
        For a damaged file.

    Examples
    --------
    >>> image, label = mx.gluon.data.vision.MNIST(train=False)[0]
    >>> image.shape, int(label)
    ((28, 28, 1), 7)
    """

    _namespace = "mnist"
    _url = "https://ossci-datasets.s3.amazonaws.com/mnist/"
    _files = {
        True: (("train-images-idx3-ubyte.gz", "6c95f4b05d2bf285e1bfb0e7960c31bd3b3f8a7d"),
               ("train-labels-idx1-ubyte.gz", "2a80914081dc54586dbdf242f9805a6b8d2a15fc")),
        False: (("t10k-images-idx3-ubyte.gz", "c3a25af1f52dad7f726cce8cacb138654b760d48"),
                ("t10k-labels-idx1-ubyte.gz", "763e7fa3757d93b0cdec073cef058b2004252c17"))}

    def __init__(self, root=os.path.join(data_dir(), "datasets", "mnist"),  # noqa: B008
                 train=True, transform=None):
        self._train = train
        super().__init__(root, transform)

    def _get_data(self):
        images, labels = (self._fetch(*file) for file in self._files[bool(self._train)])
        data, label = _read_idx(images, 3), _read_idx(labels, 1)
        if len(data) != len(label):
            raise ValueError(f"{type(self).__name__}: '{images}' has {len(data)} images, but '{labels}' has "
                             f"{len(label)} labels")
        self._data = ndarray.array(data[..., np.newaxis], dtype="uint8")
        self._label = label.astype(np.int32)


class FashionMNIST(MNIST):
    """Pictures of clothes (Xiao et al., 2017), in the format of `MNIST`."""

    _namespace = "fashion-mnist"
    _url = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    _files = {
        True: (("train-images-idx3-ubyte.gz", "0cf37b0d40ed5169c6b3aba31069a9770ac9043d"),
               ("train-labels-idx1-ubyte.gz", "236021d52f1e40852b06a4c3008d8de8aef1e40b")),
        False: (("t10k-images-idx3-ubyte.gz", "626ed6a7c06dd17c0eec72fa3be1740f146a2863"),
                ("t10k-labels-idx1-ubyte.gz", "17f9ab60e7257a1620f4ad76bbbaf857c3920701"))}

    def __init__(self, root=os.path.join(data_dir(), "datasets", "fashion-mnist"),  # noqa: B008
                 train=True, transform=None):
        super().__init__(root, train, transform)


class CIFAR10(_ImageDataset):
    """Small photographs of 10 kinds of things (Krizhevsky, 2009): 50000 to train on, 10000 to test on.

    A sample is an image, NDArray of shape (32, 32, 3) and type uint8, and its class as int32. The
    binary files or their archive are downloaded when they are not in `root`.

    Parameters
    ----------
    root, train, transform
        See `MNIST`.

    Raises
    ------
    RuntimeError
        When the archive is not there and cannot be downloaded.
    ValueError
        For a damaged file.
    """

    _namespace = "cifar10"
    _url = "https://www.cs.toronto.edu/~kriz/"
    _archive = ("cifar-10-binary.tar.gz", "fab780a1e191a7eda0f345501ccd62d20f7ed891")
    _files = {True: [f"data_batch_{i}.bin" for i in range(1, 6)], False: ["test_batch.bin"]}
    _label_bytes = 1
    _label_at = 0

    def __init__(self, root=os.path.join(data_dir(), "datasets", "cifar10"),  # noqa: B008
                 train=True, transform=None):
        self._train = train
        super().__init__(root, transform)

    def _read_batch(self, path):
        """Images and labels of one file: records of the label's bytes and 3 planes of 32 x 32."""
        content = np.frombuffer(_read_file(path), np.uint8)
        record = self._label_bytes + 3 * 32 * 32
        if content.size == 0 or content.size % record:
            raise ValueError(f"'{path}' should hold records of {record} bytes, but holds {content.size} bytes; "
                             "delete it to download it again")
        rows = content.reshape(-1, record)
        images = rows[:, self._label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return images, rows[:, self._label_at].astype(np.int32)

    def _get_data(self):
        paths = [os.path.join(self._root, name) for name in self._files[bool(self._train)]]
        if not all(os.path.exists(path) for path in paths):
            self._unpack(self._fetch(*self._archive))
        parts = [self._read_batch(path) for path in paths]
        self._data = ndarray.array(np.concatenate([images for images, _ in parts]), dtype="uint8")
        self._label = np.concatenate([labels for _, labels in parts])

    def _unpack(self, archive):
        """Puts the archive's binary files into the root, without its folders."""
        import tarfile
        wanted = {name for names in self._files.values() for name in names}
        try:
            with tarfile.open(archive) as tar:
                for member in tar:
                    name = os.path.basename(member.name)
                    if name in wanted and member.isfile():
                        with open(os.path.join(self._root, name), "wb") as out:
                            out.write(tar.extractfile(member).read())
        except (tarfile.TarError, EOFError, OSError) as error:
            raise ValueError(f"'{archive}' is a damaged archive: {error}; delete it to download it again") from error


class CIFAR100(CIFAR10):
    """Small photographs of 100 kinds of things, in the format of `CIFAR10`.

    Parameters
    ----------
    root : str
        Folder of the files.
    fine_label : bool
        Whether labels are the 100 classes, or the 20 groups they form.
    train, transform
        See `MNIST`.
    """

    _namespace = "cifar100"
    _archive = ("cifar-100-binary.tar.gz", "a0bb982c76b83111308126cc779a992fa506b90b")
    _files = {True: ["train.bin"], False: ["test.bin"]}
    _label_bytes = 2

    def __init__(self, root=os.path.join(data_dir(), "datasets", "cifar100"),  # noqa: B008
                 fine_label=False, train=True, transform=None):
        self._fine_label = fine_label
        self._label_at = int(fine_label)
        super().__init__(root, train, transform)


class ImageRecordDataset(RecordFileDataset):
    """Images and labels of a RecordIO file as im2rec writes it.

    A sample is an image, NDArray (height, width, channels) of uint8, and its label.

    Parameters
    ----------
    filename : str
        Path of the records; the index is the file beside it that ends in .idx.
    flag : {0, 1}
        1 for images of three channels, 0 for grey ones.
    transform : callable, optional
        ``transform(image, label)`` gives the sample instead.

    Examples
    --------
    >>> image, label = mx.gluon.data.vision.ImageRecordDataset("train.rec")[0]
    """

    def __init__(self, filename, flag=1, transform=None):
        super().__init__(filename)
        self._flag = flag
        self._transform = transform

    def __getitem__(self, idx):
        header, data = recordio.unpack(super().__getitem__(idx))
        sample = image.imdecode(data, self._flag), header.label
        return sample if self._transform is None else self._transform(*sample)


class ImageFolderDataset(Dataset):
    """Images in the subfolders of a folder, each of which is a class.

    A sample is an image, NDArray (height, width, channels) of uint8, and the number of its class: the place of the
    subfolder's name in `synsets`, which is sorted.

    Parameters
    ----------
    root : str
        The folder.
    flag : {0, 1}
        1 for images of three channels, 0 for grey ones.
    transform : callable, optional
        ``transform(image, label)`` gives the sample instead.

    Examples
    --------
    >>> animals = mx.gluon.data.vision.ImageFolderDataset("animals")
    >>> animals.synsets
    ['cat', 'dog']
    >>> image, label = animals[0]
    """

    def __init__(self, root, flag=1, transform=None):
        self._root = os.path.expanduser(root)
        self._flag = flag
        self._transform = transform
        self._exts = [".jpg", ".jpeg", ".png"]
        self._list_images(self._root)

    def _list_images(self, root):
        self.synsets = []
        self.items = []
        for name in sorted(os.listdir(root)):
            folder = os.path.join(root, name)
            if not os.path.isdir(folder):
                warnings.warn(f"{type(self).__name__}: '{folder}' is no folder and left out", stacklevel=3)
                continue
            for file in sorted(os.listdir(folder)):
                path = os.path.join(folder, file)
                if os.path.splitext(file)[1].lower() in self._exts:
                    self.items.append((path, len(self.synsets)))
                else:
                    warnings.warn(f"{type(self).__name__}: '{path}' is left out, it ends in none of "
                                  f"{', '.join(self._exts)}", stacklevel=3)
            self.synsets.append(name)

    def __getitem__(self, idx):
        path, label = self.items[idx]
        sample = image.imread(path, self._flag), label
        return sample if self._transform is None else self._transform(*sample)

    def __len__(self):
        return len(self.items)


class ImageListDataset(Dataset):
    """Images that a list names.

    A sample is an image, NDArray (height, width, channels) of uint8, and its label: a float, or a float32 array where
    there are several.

    Parameters
    ----------
    root : str
        The folder that paths are relative to.
    imglist : str or list
        Path of a list as im2rec makes it: lines of a number, labels and a path with tabs between them. Or a list of
        lists of labels and a path. ValueError for anything else in it.
    flag : {0, 1}
        1 for images of three channels, 0 for grey ones.

    Examples
    --------
    >>> photos = mx.gluon.data.vision.ImageListDataset("photos", [[0, "cat.jpg"], [1, "dog.jpg"]])
    """

    def __init__(self, root=".", imglist=None, flag=1):
        self._root = os.path.expanduser(root)
        self._flag = flag
        if isinstance(imglist, (str, os.PathLike)):
            with open(imglist, encoding="utf-8", errors="surrogateescape") as file:
                imglist = [line.rstrip("\n").split("\t")[1:] for line in file if line.strip()]
        elif not isinstance(imglist, (list, tuple)):
            raise TypeError(f"ImageListDataset: imglist must be a path or a list, got {type(imglist)}")
        self.items = [self._item(number, entry) for number, entry in enumerate(imglist, 1)]

    def _item(self, number, entry):
        try:
            *labels, path = entry
            label = np.concatenate([np.ravel(np.asarray(part, dtype=np.float32)) for part in labels])
            return os.path.join(self._root, path), float(label[0]) if len(label) == 1 else label
        except (TypeError, ValueError):
            raise ValueError(f"ImageListDataset: entry {number} of the list should hold labels and a path, but is "
                             f"{entry!r}") from None

    def __getitem__(self, idx):
        path, label = self.items[idx]
        return image.imread(path, self._flag), label

    def __len__(self):
        return len(self.items)
