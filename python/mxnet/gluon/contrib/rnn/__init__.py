"""More recurrent cells: with convolutions, with a projection, with one dropout mask for all steps."""
from .conv_rnn_cell import *  # noqa: F403
from .rnn_cell import *  # noqa: F403
