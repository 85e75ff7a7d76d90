"""The table that ``Block.summary`` prints."""
from math import prod

from ..ndarray import NDArray

__all__ = ["print_summary"]


def _shape_text(output):
    """Shapes of nested lists of arrays."""
    if isinstance(output, NDArray):
        return str(output.shape)
    if isinstance(output, (list, tuple)):
        return ", ".join(_shape_text(item) for item in output)
    return type(output).__name__


def print_summary(block, *inputs):
    """Prints the layers of `block` as they run on `inputs`, with output shapes and parameter counts."""
    from .nn import HybridSequential, Sequential
    rows, seen, handles = [], {}, []

    def watch(child):
        if getattr(child, "_active", False):
            raise AssertionError(f"{child.name} is hybridized, so its layers cannot be watched; "
                                 "call summary before hybridize")

        def hook(layer, _, output):
            count = sum(prod(param.shape) for param in layer.params.values())
            name = f"{type(layer).__name__}-{len(rows)}"
            rows.append((name, _shape_text(output), count))
            for param in layer.params.values():
                seen[param] = (prod(param.shape), param.grad_req != "null")
        if not isinstance(child, (Sequential, HybridSequential)):
            handles.append(child.register_forward_hook(hook))

    rows.append(("Input", _shape_text(inputs), 0))
    try:
        block.apply(watch)
        block(*inputs)
    finally:
        for handle in handles:
            handle.detach()
    line = "{:>20}  {:>42} {:>15}"
    print("-" * 80)
    print(line.format("Layer (type)", "Output Shape", "Param #"))
    print("=" * 80)
    for row in rows:
        print(line.format(*row))
    total = sum(size for size, _ in seen.values())
    trained = sum(size for size, learned in seen.values() if learned)
    print("=" * 80)
    print("Parameters in forward computation graph, duplicate included")
    print(f"   Total params: {sum(count for _, _, count in rows)}")
    print(f"   Trainable params: {trained}")
    print(f"   Non-trainable params: {total - trained}")
    print(f"Shared params in forward computation graph: {sum(c for _, _, c in rows) - total}")
    print(f"Unique parameters in model: {total}")
    print("-" * 80)
