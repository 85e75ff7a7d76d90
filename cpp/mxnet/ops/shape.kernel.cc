#include "mxnet/ops/shape_moves.h"

#include "mxnet/ops/move.h"

namespace mxnet {
namespace {

const bool registered = ShapeMoves<HostMoves>::add_all();

}  // namespace
}  // namespace mxnet
