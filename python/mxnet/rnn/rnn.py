"""Checkpoints of recurrent networks, whose weights are stored cell by cell whatever cells computed them."""
import warnings

from ..model import load_checkpoint, save_checkpoint
from .base_cell import BaseRNNCell, as_cells

__all__ = ["BaseRNNCell", "do_rnn_checkpoint", "load_checkpoint", "load_rnn_checkpoint", "rnn_unroll",
           "save_checkpoint", "save_rnn_checkpoint"]


def rnn_unroll(cell, length, inputs=None, begin_state=None, input_prefix="", layout="NTC"):
    """Gone into ``cell.unroll``, which this calls."""
    warnings.warn("rnn_unroll is deprecated. Please call cell.unroll directly.", DeprecationWarning, stacklevel=2)
    if inputs is None:
        from .. import symbol
        inputs = [symbol.Variable(f"{input_prefix}t{i}_data") for i in range(length)]
    return cell.unroll(length, inputs, begin_state=begin_state, layout=layout)


def save_rnn_checkpoint(cells, prefix, epoch, symbol, arg_params, aux_params):
    """`mx.model.save_checkpoint` with the weights unpacked by the cells (a cell or a list)."""
    for cell in as_cells(cells):
        arg_params = cell.unpack_weights(arg_params)
    save_checkpoint(prefix, epoch, symbol, arg_params, aux_params)


def load_rnn_checkpoint(cells, prefix, epoch):
    """`mx.model.load_checkpoint` with the weights packed for the cells (a cell or a list)."""
    symbol, arg_params, aux_params = load_checkpoint(prefix, epoch)
    for cell in as_cells(cells):
        arg_params = cell.pack_weights(arg_params)
    return symbol, arg_params, aux_params


def do_rnn_checkpoint(cells, prefix, period=1):
    """An epoch callback that calls `save_rnn_checkpoint` every `period` epochs."""
    period = int(max(1, period))

    def callback(iter_no, sym=None, arg=None, aux=None):
        if (iter_no + 1) % period == 0:
            save_rnn_checkpoint(cells, prefix, iter_no + 1, sym, arg, aux)
    return callback
